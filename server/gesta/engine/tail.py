"""The newest events, in memory, for all readers near the head to share.

An event is encoded for the wire once, when the first reader comes for it, and then handed to every
other one as it is.
"""

from collections.abc import Sequence
from typing import Protocol

from gesta.store.port import EventRecord


class Encode(Protocol):
    """Makes the bytes of one event on the wire. The edge's business; the engine only carries them.

    `part` counts the events that one stored event is read as, from 0.
    """

    def __call__(self, record: EventRecord, part: int = 0, /) -> bytes: ...


class Tail:
    """Consecutive events up to the head, bounded by count and by bytes of payload and envelope."""

    def __init__(self, head: int, encode: Encode, events_max: int, bytes_max: int) -> None:
        self._first = head + 1
        self._encode = encode
        self._events_max = events_max
        self._bytes_max = bytes_max
        self._records: list[EventRecord] = []
        self._encoded: list[bytes | None] = []
        self._bytes = 0

    def reaches(self, position: int) -> bool:
        """Whether every event after this position is here. To be asked in the step that reads."""
        return self._first <= position + 1

    def extend(self, records: Sequence[EventRecord], size: int) -> None:
        """Take in the next events, which have so many bytes: whoever hands them over knows."""
        self._records.extend(records)
        self._encoded.extend([None] * len(records))
        self._bytes += size
        if len(self._records) > self._events_max or self._bytes > self._bytes_max:
            self._trim()

    def after(self, position: int, limit: int) -> list[EventRecord]:
        start = position + 1 - self._first
        return self._records[start : start + limit]

    def encode(self, record: EventRecord, part: int = 0, /) -> bytes:
        """The bytes of an event that `after` gave in this same step, made now or before.

        What was upcast on the way is encoded for each reader anew; it is rare this near the head.
        """
        if part or self._records[record.position - self._first] is not record:
            return self._encode(record, part)
        index = record.position - self._first
        encoded = self._encoded[index]
        if encoded is None:
            encoded = self._encoded[index] = self._encode(record)
        return encoded

    def _trim(self) -> None:
        """Drop the older half, so that dropping is rare."""
        drop = len(self._records) - min(len(self._records) // 2, self._events_max // 2)
        kept_bytes = sum(map(stored_bytes, self._records[drop:]))
        while kept_bytes > self._bytes_max and drop < len(self._records):
            kept_bytes -= stored_bytes(self._records[drop])
            drop += 1
        del self._records[:drop]
        del self._encoded[:drop]
        self._first += drop
        self._bytes = kept_bytes


def stored_bytes(record: EventRecord) -> int:
    """Bytes of an event's payload and envelope, counted as `Envelope.bytes_per_event` does."""
    texts = (record.principal, record.correlation_id, record.causation_id, record.traceparent)
    size = sum(len(text.encode()) for text in texts if text)
    return size + len(record.data) + len(record.metadata or b"")
