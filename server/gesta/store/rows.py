"""Rows and records, and the checksum between them.

A checksum is the CRC-32 of the MessagePack of the record, as an array of its fields in order: one
byte string that any language can build, in which None, "" and 0 differ. It covers texts, not the
integers that stand for them, so that a damaged name or stream shows in every event that uses it.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from msgspec.msgpack import Encoder

from gesta.store.port import CommandRecord, CorruptLog, EventRecord
from gesta.store.port import checksum as checksum

EVENT_COLUMNS = (
    "position, stream_id, version, event_id, event_type_id, schema_version, data, command_id, "
    "more_in_command, commit_time_us, occurred_at_us, correlation_id, causation_id, principal_id, "
    "traceparent, metadata, checksum"
)
COMMAND_COLUMNS = (
    "command_id, fingerprint, version, position, event_count, commit_time_us, reply, checksum"
)

# From SQLite, with text_factory=bytes: integers, bytes and None, but damaged files hold anything.
Row = tuple[Any, ...]
StreamNames = Mapping[int, tuple[str, str]]

_encode = Encoder().encode
_make = tuple.__new__  # EventRecord(...) in a third of the time, which counts at 300,000 a second
FLAGS = {0: False, 1: True}
"""What stands for `more_in_command`; anything else is damage."""

_DAMAGE = (KeyError, TypeError, UnicodeDecodeError, AttributeError, CorruptLog)
"""What a wrong type, a dangling number, a broken text or a damaged stream raises where a row is
taken apart."""


def events_of(
    rows: Iterable[Row], streams: StreamNames, names: Mapping[int, str]
) -> list[EventRecord]:
    """The events in rows of EVENT_COLUMNS; CorruptLog if one is not what was written.

    One loop with everything in reach, because it runs for every event that is ever read.
    """
    events = []
    for (
        position,
        stream_id,
        version,
        event_id,
        event_type_id,
        schema_version,
        data,
        command_id,
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
        try:
            aggregate_type, aggregate_id = streams[stream_id]
            fields = (
                position,
                aggregate_type,
                aggregate_id,
                version,
                event_id,
                names[event_type_id],
                schema_version,
                data,
                command_id,
                FLAGS[more_in_command],
                commit_time_us,
                occurred_at_us,
                correlation_id if correlation_id is None else correlation_id.decode(),
                causation_id if causation_id is None else causation_id.decode(),
                names[principal_id],
                traceparent if traceparent is None else traceparent.decode(),
                metadata,
            )
        except _DAMAGE as error:
            raise CorruptLog(f"event {position} cannot be read: {error!r}", position) from error
        if crc32(_encode(fields)) != stored:
            raise CorruptLog(f"event {position} does not match its checksum", position)
        events.append(_make(EventRecord, fields))
    return events


def stream_of(row: Row, names: Mapping[int, str]) -> tuple[str, str]:
    """Type and id in a row (id, type_id, aggregate_id, slice, checksum) of `streams`."""
    number, type_id, aggregate_id, slice_number, stored = row
    try:
        named = (names[type_id], aggregate_id.decode())
    except _DAMAGE as error:
        raise CorruptLog(f"stream {number} cannot be read: {error!r}") from error
    check((number, *named, slice_number), stored, f"stream {number}")
    return named


def command_of(row: Row) -> CommandRecord:
    """The answer in a row of COMMAND_COLUMNS; CorruptLog if it is not what was written."""
    if not is_intact_command(row):
        raise CorruptLog(f"the answer to command {row[0]!r} does not match its checksum")
    return CommandRecord._make(row[:-1])


def is_intact_command(row: Row) -> bool:
    """Whether a row of COMMAND_COLUMNS is what was written."""
    return bool(crc32(_encode(row[:-1])) == row[-1])


def check(record: tuple[Any, ...], stored: object, what: str) -> None:
    """Raise CorruptLog unless the checksum is the stored one."""
    if checksum(record) != stored:
        raise CorruptLog(f"{what} does not match its checksum")
