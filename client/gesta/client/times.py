"""Times on the wire, and as Python has them."""

import math
from datetime import UTC, datetime, timedelta

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def to_datetime(stamp: Timestamp) -> datetime:
    """In UTC; what is finer than a microsecond is cut off."""
    return _EPOCH + timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)


def to_timestamp(time: datetime) -> Timestamp:
    """Raises ValueError for a time without a zone, which would mean another one on each machine."""
    if time.tzinfo is None:
        raise ValueError(f"{time!r} has no time zone")
    since = time - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1000)


def to_duration(seconds: float) -> Duration:
    """What is finer than a nanosecond is cut off."""
    whole = int(seconds)
    return Duration(seconds=whole, nanos=int((seconds - whole) * 1_000_000_000))


def to_milliseconds(seconds: float) -> int:
    """Rounded up, so that the caller's time is up by the end; a day at most, which no server waits.
    Raises ValueError for less than nothing."""
    if not seconds >= 0:
        raise ValueError(f"a wait cannot take {seconds} s")
    return math.ceil(min(seconds, 86_400.0) * 1_000)
