"""Events and answers as bytes on the wire, written by hand from the records.

A page of 500 events is read by every subscriber that catches up; a protobuf object for each event
costs 8 us, these bytes about 2. `tests/unit/server/test_wire.py` holds them against the generated
class, field by field, so the contract may not change without this file.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import repeat
from operator import add

import msgspec

from gesta.engine.messages import Accepted
from gesta.store.port import EventColumns, EventRecord

_SMALL_BITS = 14
_SMALL = 1 << _SMALL_BITS
_LOW = _SMALL - 1
_MEDIUM = _SMALL * _SMALL
"""Varints come from tables: one look below SMALL, as lengths and nearly all versions are, two below
MEDIUM, as positions are."""


def encode_event(record: EventRecord, part: int = 0) -> bytes:
    """A RecordedEvent as an element of a frame's `events`, field 1 of every frame that has them.

    `part` counts the events that one stored event is read as, from 0. Fields stand in the order
    that is cheapest to write: what the events of a commit mostly share is written once for all.
    """
    (
        position,
        aggregate_type,
        aggregate_id,
        version,
        event_id,
        event_type,
        schema_version,
        data,
        command_id,
        more_in_command,
        commit_time_us,
        occurred_at_us,
        correlation_id,
        causation_id,
        principal,
        traceparent,
        metadata,
    ) = record
    identity = aggregate_id.encode()
    named, size = len(identity), len(data)
    shared = _shared(aggregate_type, event_type, schema_version, commit_time_us, principal)
    rare = correlation_id or causation_id or traceparent or metadata
    rest = b"" if rare is None and occurred_at_us is None else _rare(record)
    if more_in_command:
        rest += _MORE
    if part:
        rest += b"\x90\x01" + _varint(part)
    body = b"".join(
        (
            b"\x08",
            _varint(position),
            shared,
            # Small ones without a call: 0.1 µs of an event's 0.9.
            _VARINTS[named] if named < _SMALL else _varint(named),
            identity,
            b"\x20",
            _VARINTS[version] if version < _SMALL else _varint(version),
            b"\x2a\x10",
            event_id,
            b"\x5a\x10",
            command_id,
            b"\x42",
            _VARINTS[size] if size < _SMALL else _varint(size),
            data,
            rest,
        )
    )
    size = len(body)
    return b"\x0a" + (_VARINTS[size] if size < _SMALL else _varint(size)) + body


def encode_events(columns: EventColumns) -> list[bytes]:
    """What `encode_event` makes of each of them, in a third to a half of the time: a few calls for
    all of them. May be called on any thread."""
    try:
        return _encode_usual(columns)
    except IndexError:  # a text, a payload or a version beyond the tables
        return list(map(encode_event, columns.events()))


def _encode_usual(columns: EventColumns) -> list[bytes]:
    """Fields stand in the same order as in `encode_event`."""
    identities = list(map(str.encode, columns.aggregate_id))
    bodies = list(
        map(
            b"".join,
            zip(
                *_positions(columns.position[0], len(identities)),
                map(
                    _shared,
                    columns.aggregate_type,
                    columns.event_type,
                    columns.schema_version,
                    columns.commit_time_us,
                    columns.principal,
                ),
                map(_VARINTS.__getitem__, map(len, identities)),
                identities,
                map(_VERSIONS.__getitem__, columns.version),
                columns.event_id,
                repeat(b"\x5a\x10"),
                columns.command_id,
                map(_SIZES.__getitem__, map(len, columns.data)),
                columns.data,
                _rests(columns),
            ),
        )
    )
    return list(map(add, map(_ELEMENTS.__getitem__, map(len, bodies)), bodies))


def _positions(first: int, count: int) -> tuple[Iterable[bytes], Iterable[bytes]]:
    """The varints of consecutive numbers, in two parts each."""
    low, high = first & _LOW, first >> _SMALL_BITS
    if 0 < high < _SMALL and low + count <= _SMALL:
        return _CONTINUED[low : low + count], repeat(_VARINTS[high])
    return map(_varint, range(first, first + count)), repeat(b"")


def _rests(columns: EventColumns) -> Iterable[bytes]:
    """What most events do not have."""
    rare: tuple[Sequence[object], ...] = (
        *(columns.occurred_at_us, columns.correlation_id, columns.causation_id),
        *(columns.traceparent, columns.metadata),
    )
    more = map((b"", _MORE).__getitem__, columns.more_in_command)
    if all(column.count(None) == len(column) for column in rare):
        return more
    return map(add, map(_rare, columns.events()), more)


def encode_response(done: Accepted, token: str) -> bytes:
    """An ExecuteResponse."""
    version, position, event_count, reply, command_id, replayed, pending = done
    text = token.encode()
    body = b"".join(
        (
            b"\x08",
            _varint(version),
            b"\x10",
            _varint(position),
            b"\x1a",
            _varint(len(text)),
            text,
            b"\x20",
            _varint(event_count),
            b"\x2a",
            _varint(len(reply)),
            reply,
            b"\x30\x01\x3a\x10" if replayed else b"\x3a\x10",
            command_id,
        )
    )
    return body + b"".join([text_field(8, name) for name in pending]) if pending else body


def encode_result(number: int, field: int, body: bytes) -> bytes:
    """An ExecuteResult, as an element of field `field`, around an encoded ExecuteResponse (`body`
    of field 2) or Status (field 3)."""
    inner = b"\x08" + _varint(number) + body
    return _varint(field << 3 | 2) + _varint(len(inner)) + inner


def text_field(number: int, text: str) -> bytes:
    """A string field; nothing for the empty string, as in proto3."""
    if not text:
        return b""
    encoded = text.encode()
    return b"".join((_varint(number << 3 | 2), _varint(len(encoded)), encoded))


def message_field(number: int, body: bytes) -> bytes:
    """A message or bytes field, present even when empty."""
    return b"".join((_varint(number << 3 | 2), _varint(len(body)), body))


@lru_cache(maxsize=1_024)
def _shared(
    aggregate_type: str, event_type: str, schema_version: int, commit_time_us: int, principal: str
) -> bytes:
    """What the events of a commit have in common, and the tag of the aggregate's id."""
    return b"".join(
        (
            text_field(2, aggregate_type),
            text_field(6, event_type),
            b"\x38",
            _varint(schema_version),
            _time(9, commit_time_us),
            text_field(14, principal),
            b"\x1a",
        )
    )


def _rare(record: EventRecord) -> bytes:
    """The fields that most events do not have."""
    parts = [
        text_field(12, record.correlation_id or ""),
        text_field(13, record.causation_id or ""),
        text_field(15, record.traceparent or ""),
    ]
    if record.occurred_at_us is not None:
        parts.append(_time(10, record.occurred_at_us))
    if record.metadata is not None:
        for key, value in msgspec.json.decode(record.metadata, type=dict[str, str]).items():
            # An entry of a map has both its fields, the empty string too.
            entry = message_field(1, key.encode()) + message_field(2, value.encode())
            parts.append(message_field(16, entry))
    return b"".join(parts)


def _time(number: int, time_us: int) -> bytes:
    """A google.protobuf.Timestamp field."""
    seconds, us = divmod(time_us, 1_000_000)
    body = b"\x08" + _varint(seconds & 0xFFFF_FFFF_FFFF_FFFF) if seconds else b""
    if us:
        body += b"\x10" + _varint(us * 1_000)
    return message_field(number, body)


def _varint(value: int) -> bytes:
    if value < _SMALL:
        return _VARINTS[value]
    if value < _MEDIUM:
        return _CONTINUED[value & _LOW] + _VARINTS[value >> _SMALL_BITS]
    return _long_varint(value)


def _long_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_VARINTS = tuple(_long_varint(value) for value in range(_SMALL))
_CONTINUED = tuple(bytes((value & 0x7F | 0x80, value >> 7 | 0x80)) for value in range(_SMALL))
"""The same as the first two bytes of a longer one."""
_MORE = b"\x88\x01\x01"
_ELEMENTS = tuple(b"\x0a" + length + b"\x08" for length in _VARINTS[1:])
"""By the length of what follows: the tag of the position is part of the event."""
_VERSIONS = tuple(b"\x20" + version + b"\x2a\x10" for version in _VARINTS)
_SIZES = tuple(b"\x42" + length for length in _VARINTS)
"""With the tags before them, and after a version the tag of the event's id."""
