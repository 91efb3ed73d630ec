"""Events and answers as bytes on the wire, written by hand from the records.

A page of 500 events is read by every subscriber that catches up; a protobuf object for each event
costs 8 us, these bytes about 2. `tests/unit/server/test_wire.py` holds them against the generated
class, field by field, so the contract may not change without this file.
"""

from functools import lru_cache

import msgspec

from gesta.engine.messages import Accepted
from gesta.store.port import EventRecord

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
        rest += b"\x88\x01\x01"
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
