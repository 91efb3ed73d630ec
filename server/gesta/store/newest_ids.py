"""The ids of very many answers, column by column, by all readers at once: a start asks for 250,000.

Row by row that takes half a second of one reader, and a second one would only take the
interpreter's lock from it. Here SQLite joins the columns of some answers into one text each,
without the lock, while another reader's are checked: half of the time, on two processors.

Only ids whose answers' checksums are right are given. Whatever is odd in any way (damage, an
unusual id, a reply with a separator in it, long replies) gives None, and all is to be read row by
row, which knows what to do about it.
"""

import asyncio
import sqlite3
import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from itertools import chain, pairwise
from typing import Any, NamedTuple
from zlib import crc32

import msgspec

from gesta.store.columns import SEPARATOR, ids_apart, integers_of
from gesta.store.reading import Reader

TOGETHER = 1_000
"""Ids in one read. Half a millisecond of the interpreter's lock; more gain nothing."""

_IN_A_JOB = 8
"""Such reads in one hop to a reader's thread, which costs a fifth of what a read does."""

_COLUMN_BYTES_MAX = 4 << 20
"""Of the replies in one read: 4 KiB each. With longer ones the text would grow too large."""

_LAST_OF = (
    "SELECT command_id FROM commands WHERE command_id >= ? AND command_id < ? "
    "ORDER BY command_id DESC LIMIT 1 OFFSET ?"
)
_INTEGERS = ("version", "position", "event_count", "commit_time_us", "checksum")
_WITHIN = (
    "SELECT count(*), group_concat(command_id, ''), group_concat(fingerprint, ''), "  # noqa: S608
    "group_concat(reply, char(30)), "
    + ", ".join(f"'[' || group_concat({name}) || ']'" for name in _INTEGERS)
    + " FROM commands WHERE command_id >= ? AND command_id < ?"
)
_encode = msgspec.msgpack.Encoder().encode

_ODD = (sqlite3.Error, msgspec.MsgspecError, struct.error, TypeError, ValueError, AttributeError)
"""What comes of a wrong type, a damaged page or more bytes than are taken. Failures of the disk
show again, row by row."""


Read = Callable[..., Awaitable[Any]]
"""Calls a function with a reader and what else it is given, on the thread of the least busy one."""


class Stretch(NamedTuple):
    """Of the table: low <= id < high."""

    low: bytes
    high: bytes


async def newest_ids(read: Read, low: bytes, high: bytes, limit: int) -> list[bytes] | None:
    """As `EventStore.command_ids_between`; None where they must be read row by row."""
    stretches: list[Stretch] = await read(_stretches, low, high, limit)
    jobs = [stretches[at : at + _IN_A_JOB] for at in range(0, len(stretches), _IN_A_JOB)]
    found = await asyncio.gather(*(read(_ids_within, each) for each in jobs))
    if None in found:
        return None
    ids = [*chain.from_iterable(found)]
    if len(ids) < limit and stretches and stretches[-1].low > low:
        return None  # some were forgotten meanwhile: there may be others before them
    return ids[: max(limit, 0)]


def _stretches(reader: Reader, low: bytes, high: bytes, limit: int) -> list[Stretch]:
    """The last first; their ends are found at a twentieth of what it costs to read them."""
    bounds = [high]
    while limit > 0:
        count = min(limit, TOGETHER)
        limit -= count
        last = reader.connection.execute(_LAST_OF, (low, bounds[-1], count - 1)).fetchone()
        bounds.append(low if last is None else last[0])
        if last is None:
            break
    return [Stretch(low, high) for high, low in pairwise(bounds)]


def _ids_within(reader: Reader, stretches: Sequence[Stretch]) -> list[bytes] | None:
    """All of them, in descending order; None where they must be read row by row."""
    connection = reader.connection
    usual = connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _COLUMN_BYTES_MAX)
    ids: list[bytes] = []
    try:
        for each in stretches:
            count, *columns = connection.execute(_WITHIN, each).fetchone()
            if count:
                ids += _checked(count, columns)
    except _ODD:
        return None
    finally:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, usual)
    return ids


def _checked(count: int, columns: Sequence[bytes]) -> Iterable[bytes]:
    """Raises ValueError where a checksum is wrong."""
    joined, fingerprints, replies, *numbers = columns
    *integers, checksums = map(integers_of, numbers)
    ids: tuple[bytes, ...] = ids_apart(count).unpack(joined)
    fields = zip(
        ids,
        ids_apart(count).unpack(fingerprints),
        *integers,
        replies.split(SEPARATOR),
        strict=True,
    )
    if list(map(crc32, map(_encode, fields))) != checksums:
        raise ValueError("not what was written")
    return reversed(ids)
