"""Commands as bytes on the wire, what each of them has written by hand.

A protobuf object for a command and its way into a frame cost 3 µs, these bytes 1. What few commands
have is left to the generated class: the encoding of a message may be continued by another one.
`tests/unit/client/test_wire.py` holds both against it.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from gesta.client.times import to_duration, to_milliseconds, to_timestamp
from gesta.v1.command_service_pb2 import ExecuteRequest, ExecuteStreamRequest

END = ExecuteStreamRequest(end=True).SerializeToString()
"""The last frame of a stream."""


def encode_command(
    aggregate_type: str,
    aggregate_id: str,
    command: str,
    arguments: bytes,
    command_id: bytes,
    details: bytes,
) -> bytes:
    """An ExecuteRequest without its timeout. Raises TypeError for an id that is no str."""
    identity = str.encode(aggregate_id)
    return b"".join(
        (
            _asked(aggregate_type, command),
            _lead(2, len(identity)),
            identity,
            _lead(4, len(arguments)),
            arguments,
            b"\x3a\x10",
            command_id,
            details,
        )
    )


def encode_details(
    expected_version: int | None,
    must_exist: bool | None,
    correlation_id: str | None,
    causation_id: str | None,
    occurred_at: datetime | None,
    metadata: Mapping[str, str] | None,
    traceparent: str | None,
    wait_for: str | Sequence[str] | None,
    wait_timeout_s: float | None,
) -> bytes:
    """What more may be said of a command. Raises ValueError for two conditions at once, a time
    without a zone, or a wait of less than nothing."""
    if expected_version is not None and must_exist is not None:
        raise ValueError("give expected_version or must_exist, not both")
    request = ExecuteRequest(
        expected_version=expected_version,
        correlation_id=correlation_id,
        causation_id=causation_id,
        occurred_at=None if occurred_at is None else to_timestamp(occurred_at),
        metadata=metadata,
        traceparent=traceparent,
        wait_for=[wait_for] if isinstance(wait_for, str) else wait_for,
        wait_timeout_ms=None if wait_timeout_s is None else to_milliseconds(wait_timeout_s),
    )
    if must_exist is not None:
        request.must_exist = must_exist
    return request.SerializeToString()


@lru_cache(maxsize=64)  # callers use a handful
def encode_timeout(seconds: float) -> bytes:
    """The timeout of an ExecuteRequest, to continue its encoding."""
    return ExecuteRequest(timeout=to_duration(seconds)).SerializeToString()


def frame_part(command: bytes, timeout: bytes) -> bytes:
    """A command as an element of an ExecuteStreamRequest; parts in a row are a frame."""
    return b"".join((_lead(1, len(command) + len(timeout)), command, timeout))


@lru_cache(maxsize=1_024)
def _asked(aggregate_type: str, command: str) -> bytes:
    """The few pairs of names that a program asks for."""
    return ExecuteRequest(aggregate_type=aggregate_type, command=command).SerializeToString()


@lru_cache(maxsize=1_024)
def _lead(field: int, length: int) -> bytes:
    """What stands before the bytes of a field that has them; fields up to 15."""
    out = bytearray((field << 3 | 2,))
    while length >= 0x80:
        out.append(length & 0x7F | 0x80)
        length >>= 7
    out.append(length)
    return bytes(out)
