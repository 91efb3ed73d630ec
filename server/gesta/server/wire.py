"""Events and answers as bytes on the wire, written by hand from the records.

A page of 500 events is read by every subscriber that catches up; a protobuf object for each event
costs 8 us, these bytes about 2. `tests/unit/server/test_wire.py` holds them against the generated
class, field by field, so the contract may not change without this file.
"""

from functools import lru_cache

import msgspec

from gesta.engine.messages import Accepted
from gesta.store.port import EventRecord

_SMALL = 1 << 14
"""Varints below this come from a table: lengths, schema versions, nearly all versions."""


def encode_event(record: EventRecord, part: int = 0) -> bytes:
    """A RecordedEvent as an element of a frame's `events`, field 1 of every frame that has them.

    `part` counts the events that one stored event is read as, from 0.
    """
    aggregate_id = record.aggregate_id.encode()
    data = record.data
    body = b"".join(
        (
            b"\x08",
            _varint(record.position),
            _text(2, record.aggregate_type),
            b"\x1a",
            _varint(len(aggregate_id)),
            aggregate_id,
            b"\x20",
            _varint(record.version),
            b"\x2a\x10",
            record.event_id,
            _text(6, record.event_type),
            b"\x38",
            _varint(record.schema_version),
            b"\x42",
            _varint(len(data)),
            data,
            _time(9, record.commit_time_us),
            b"\x5a\x10",
            record.command_id,
            _text(14, record.principal),
            _rare(record),
            b"\x88\x01\x01" if record.more_in_command else b"",
            b"\x90\x01" + _varint(part) if part else b"",
        )
    )
    return b"".join((b"\x0a", _varint(len(body)), body))


def encode_response(done: Accepted, token: str) -> bytes:
    """An ExecuteResponse."""
    return b"".join(
        (
            b"\x08" + _varint(done.version) if done.version else b"",
            b"\x10" + _varint(done.position) if done.position else b"",
            text_field(3, token),
            b"\x20" + _varint(done.event_count) if done.event_count else b"",
            b"\x2a" + _varint(len(done.reply)) + done.reply if done.reply else b"",
            b"\x30\x01" if done.replayed else b"",
            b"\x3a\x10",
            done.command_id,
            b"".join([text_field(8, name) for name in done.pending]) if done.pending else b"",
        )
    )


def encode_result(number: int, field: int, body: bytes) -> bytes:
    """An ExecuteResult, as an element of field `field`, around an encoded ExecuteResponse (`body`
    of field 2) or Status (field 3)."""
    inner = b"".join((b"\x08", _varint(number), body))
    return b"".join((_varint(field << 3 | 2), _varint(len(inner)), inner))


def text_field(number: int, text: str) -> bytes:
    """A string field; nothing for the empty string, as in proto3."""
    if not text:
        return b""
    encoded = text.encode()
    return b"".join((_varint(number << 3 | 2), _varint(len(encoded)), encoded))


def message_field(number: int, body: bytes) -> bytes:
    """A message or bytes field, present even when empty."""
    return b"".join((_varint(number << 3 | 2), _varint(len(body)), body))


def _rare(record: EventRecord) -> bytes:
    """The fields that most events do not have."""
    if (
        record.metadata is None
        and record.correlation_id is None
        and record.causation_id is None
        and record.traceparent is None
        and record.occurred_at_us is None
    ):
        return b""
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


@lru_cache(maxsize=4_096)
def _text(number: int, text: str) -> bytes:
    """A string field with one of a few values: types, principals."""
    return text_field(number, text)


@lru_cache(maxsize=64)
def _time(number: int, time_us: int) -> bytes:
    """A google.protobuf.Timestamp field; the events of one commit share it."""
    seconds, us = divmod(time_us, 1_000_000)
    body = b"\x08" + _varint(seconds & 0xFFFF_FFFF_FFFF_FFFF) if seconds else b""
    if us:
        body += b"\x10" + _varint(us * 1_000)
    return message_field(number, body)


def _varint(value: int) -> bytes:
    if value < _SMALL:
        return _VARINTS[value]
    return _long_varint(value)


def _long_varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


_VARINTS = tuple(_long_varint(value) for value in range(_SMALL))
