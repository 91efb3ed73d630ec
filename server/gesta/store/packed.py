"""Several streams and their few events, each table's in one row. Runs on a reader's thread.

SQLite gives the interpreter lock back for every row it looks for, and while the event loop has work
a thread waits half a millisecond to get it again: twenty events are ten milliseconds. Here SQLite
writes what it finds as one JSON text, without the lock, and msgspec takes it apart.

Only what its checksums vouch for is answered. Whatever else there is (damage, large payloads, more
events than were asked for) is left to whoever reads row by row and can say what is wrong.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar
from zlib import crc32

import msgspec

from gesta.store.connection import JobConnection
from gesta.store.finder import TOGETHER_MAX
from gesta.store.port import EventRecord
from gesta.store.rows import FLAGS, checksum

PAYLOAD_CHARS_MAX = 1_024
"""Of data, and of metadata. With longer ones the text would grow, to 2 MiB of rows at this."""

_MANY = ",".join("?" * TOGETHER_MAX)
_STREAMS = (
    "SELECT json_group_array(json_array(id, aggregate_id, slice, checksum, "  # noqa: S608
    "(SELECT version FROM events WHERE stream_id = streams.id AND +position <= ? "
    "ORDER BY version DESC LIMIT 1))) "
    f"FROM streams WHERE type_id = ? AND aggregate_id IN ({_MANY}) AND +id <= ?"
)
_EVENTS = (
    "SELECT json_group_array(json_array("  # noqa: S608
    "position, stream_id, version, hex(event_id) || hex(command_id), event_type_id, "
    f"schema_version, CASE WHEN length(data) <= {PAYLOAD_CHARS_MAX} THEN data END, "
    "more_in_command, commit_time_us, occurred_at_us, correlation_id, causation_id, principal_id, "
    f"traceparent, CASE WHEN length(metadata) <= {PAYLOAD_CHARS_MAX} THEN metadata END, checksum)) "
    f"FROM events WHERE stream_id IN ({_MANY}) AND version <= ? AND +position <= ?"
)
_ID_BYTES = 16

_Number = int | None
_Stream = tuple[int, str, int, int, _Number]
_Text = str | None
# fmt: off
_Event = tuple[
    int, int, int, str, int, int, _Text, int, int,
    _Number, _Text, _Text, int, _Text, _Text, int,
]
# fmt: on
_decode_streams = msgspec.json.Decoder(list[_Stream]).decode
_decode_events = msgspec.json.Decoder(list[_Event]).decode
_encode = msgspec.msgpack.Encoder().encode
_make = tuple.__new__  # EventRecord(...) in a third of the time

_ODD = (sqlite3.Error, msgspec.MsgspecError, UnicodeError)
"""What damage does to a statement or to its text. Failures of the disk show again, row by row."""

T = TypeVar("T")


class Found(NamedTuple):
    """A stream, and the version of its last event by the index, which alone says that no event is
    missing at the end."""

    number: int
    last: int


DAMAGED = Found(0, 0)
"""Instead of a stream that is not as it was written."""


def find_streams(
    connection: JobConnection,
    type_id: int | None,
    aggregate_type: str,
    aggregate_ids: Sequence[str],
    streams_max: int,
    head: int,
) -> dict[str, Found] | None:
    """The streams by aggregate id; those that do not exist are left out. None if nothing can be
    said."""
    try:
        (text,) = connection.execute(
            _STREAMS, (head, type_id, *_filled(aggregate_ids), streams_max)
        ).fetchone()
        rows = _decode_streams(text)
    except _ODD:
        return None
    return {
        aggregate_id: Found(number, last)
        if last is not None
        and checksum((number, aggregate_type, aggregate_id, slice_number)) == stored
        else DAMAGED
        for number, aggregate_id, slice_number, stored, last in rows
    }


def read_events(
    connection: JobConnection,
    streams: Mapping[int, tuple[str, str]],
    names: Mapping[int, str],
    events_max: int,
    head: int,
) -> dict[int, list[EventRecord]]:
    """Up to so many events of each stream, from the first on, by its number; `streams` has types
    and ids. One of which anything is odd is left out."""
    if not streams:
        return {}
    try:
        (text,) = connection.execute(_EVENTS, (*_filled([*streams]), events_max, head)).fetchone()
        rows = _decode_events(text)
    except _ODD:
        return {}
    found: dict[int, list[EventRecord]] = {number: [] for number in streams}
    for (
        position,
        stream_id,
        version,
        ids,
        event_type_id,
        schema_version,
        data,
        more_in_command,
        commit_time_us,
        occurred_at_us,
        correlation_id,
        causation_id,
        principal_id,
        traceparent,
        metadata,
        stored,
    ) in rows:
        events = found.get(stream_id)
        if events is None:
            continue
        both = bytes.fromhex(ids)
        fields = (
            position,
            *streams[stream_id],
            version,
            both[:_ID_BYTES],
            names.get(event_type_id),
            schema_version,
            (data or "").encode(),
            both[_ID_BYTES:],
            FLAGS.get(more_in_command),
            commit_time_us,
            occurred_at_us,
            correlation_id,
            causation_id,
            names.get(principal_id),
            traceparent,
            metadata if metadata is None else metadata.encode(),
        )
        if version == len(events) + 1 and crc32(_encode(fields)) == stored:
            events.append(_make(EventRecord, fields))
        else:
            del found[stream_id]
    return found


def _filled(parameters: Sequence[T]) -> list[T | None]:
    """With as many NULLs, which equal nothing, as make them fit the statement."""
    return [*parameters, *[None] * (TOGETHER_MAX - len(parameters))]
