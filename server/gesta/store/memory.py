"""The reference implementation: the whole contract in lists and dicts. Closing it loses the log."""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest
from os import urandom
from typing import TypeVar

from gesta.store.port import (
    FEW_EVENTS_BYTES,
    Batch,
    CommandRecord,
    CorruptLog,
    EventColumns,
    EventRecord,
    Incarnation,
    LogInfo,
    StorageFailed,
    Stream,
    StreamHead,
)

T = TypeVar("T")


class MemoryStore:
    """A log for tests and trials. Nothing of it survives `close`, `abandon` or the process."""

    def __init__(self) -> None:
        self._events: list[EventRecord] = []
        self._numbers: dict[tuple[str, str], int] = {}
        self._streams: list[list[EventRecord]] = []
        """The events of stream number n at index n - 1."""
        self._commands: dict[bytes, CommandRecord] = {}
        self._unusable: str | None = "it is not open"

    async def open(self) -> LogInfo:
        self._unusable = None
        return LogInfo(urandom(16), (Incarnation(1, 0),), epoch=1, head=0, last_commit_time_us=0)

    async def append(self, batch: Batch) -> None:
        self._check_usable()
        broken = self._broken_invariant(batch)
        if broken is not None:
            self._unusable = broken
            raise StorageFailed(broken)
        for event, stream in zip(batch.events, batch.streams, strict=True):
            self._events.append(event)
            self._stream_of(stream).append(event)
        for command in batch.commands:
            self._commands[command.command_id] = command

    async def read_log(
        self, after: int, until: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        self._check_usable()
        return _limited(self._events[max(after, 0) : max(until, 0)], limit, bytes_max)

    async def read_log_columns(
        self,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
        make: Callable[[EventColumns], T],
    ) -> list[T]:
        events = await self.read_log(after, until, limit, bytes_max)
        return [make(EventColumns.of(events))] if events else []

    async def read_log_backwards(
        self, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        self._check_usable()
        return _limited(reversed(self._events[: max(before - 1, 0)]), limit, bytes_max)

    async def read_stream(
        self, stream: Stream, after: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        self._check_usable()
        return _limited(self._events_of(stream)[max(after, 0) :], limit, bytes_max)

    async def read_stream_backwards(
        self, stream: Stream, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        self._check_usable()
        events = self._events_of(stream)[: max(before - 1, 0)]
        return _limited(reversed(events), limit, bytes_max)

    async def read_positions(
        self, positions: Sequence[int], bytes_max: int | None = None
    ) -> list[EventRecord]:
        self._check_usable()
        for each in positions:
            if not 1 <= each <= len(self._events):
                raise CorruptLog(f"position {each} is missing", each)
        found = [self._events[each - 1] for each in positions]
        return found if bytes_max is None else _limited(found, len(found), bytes_max)

    async def find_stream(
        self, aggregate_type: str, aggregate_id: str, events_max: int = 0
    ) -> StreamHead | None:
        self._check_usable()
        number = self._numbers.get((aggregate_type, aggregate_id))
        if number is None:
            return None
        head = self._head_of(aggregate_type, aggregate_id, number)
        if head.version > events_max:
            return head
        few = _limited(self._events_of(head.stream), events_max, FEW_EVENTS_BYTES)
        return head._replace(events=few) if len(few) == head.version else head

    async def list_streams(
        self, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        self._check_usable()
        found = sorted(  # by code point, which is the order of UTF-8 bytes
            (aggregate_id, number)
            for (of_type, aggregate_id), number in self._numbers.items()
            if of_type == aggregate_type
            and aggregate_id.startswith(id_prefix)
            and aggregate_id > after_id
        )
        return [self._head_of(aggregate_type, *each) for each in found[: max(limit, 0)]]

    async def find_command(self, command_id: bytes) -> CommandRecord | None:
        self._check_usable()
        return self._commands.get(command_id)

    async def command_ids_between(self, low: bytes, high: bytes, limit: int) -> list[bytes]:
        self._check_usable()
        return nlargest(limit, (each for each in self._commands if low <= each < high))

    async def position_at(self, commit_time_us: int) -> int:
        self._check_usable()
        return bisect_right(self._events, commit_time_us, key=lambda event: event.commit_time_us)

    async def prune_commands(self, before_us: int, limit: int) -> int:
        self._check_usable()
        old = [each for each in self._commands.values() if each.commit_time_us < before_us]
        for command in old[: max(limit, 0)]:
            del self._commands[command.command_id]
        return len(old[: max(limit, 0)])

    async def close(self) -> None:
        self.abandon()

    def abandon(self) -> None:
        self._unusable = "it is closed"

    def _check_usable(self) -> None:
        if self._unusable is not None:
            raise StorageFailed(self._unusable)

    def _broken_invariant(self, batch: Batch) -> str | None:
        """What is wrong with a batch, before any of it is written."""
        versions: dict[tuple[str, str], int] = {}
        position = len(self._events)
        for event, stream in zip(batch.events, batch.streams, strict=True):
            position += 1
            key = (stream.aggregate_type, stream.aggregate_id)
            if key != (event.aggregate_type, event.aggregate_id):
                return f"event {event.position} is not of its stream"
            if stream.number != self._numbers.get(key):
                return f"the stream of event {event.position} has another number"
            if event.position != position:
                return f"position {event.position} where {position} is next"
            version = versions.get(key, len(self._events_of(stream))) + 1
            if event.version != version:
                return f"version {event.version} where {version} is next"
            versions[key] = version
        ids = {command.command_id for command in batch.commands}
        if len(ids) < len(batch.commands) or any(each in self._commands for each in ids):
            return "a command id is stored already"
        return None

    def _stream_of(self, stream: Stream) -> list[EventRecord]:
        """The events of a stream, which is numbered if it is new."""
        key = (stream.aggregate_type, stream.aggregate_id)
        number = self._numbers.get(key)
        if number is None:
            self._streams.append([])
            number = self._numbers[key] = len(self._streams)
        stream.number = number
        return self._streams[number - 1]

    def _events_of(self, stream: Stream) -> list[EventRecord]:
        return [] if stream.number is None else self._streams[stream.number - 1]

    def _head_of(self, aggregate_type: str, aggregate_id: str, number: int) -> StreamHead:
        stream = Stream(aggregate_type, aggregate_id, number)
        return StreamHead(stream, self._streams[number - 1][-1].version)


def _limited(events: Iterable[EventRecord], limit: int, bytes_max: int) -> list[EventRecord]:
    """The front of the events, within both limits, but one at least (if `limit` allows any)."""
    page: list[EventRecord] = []
    size = 0
    for event in events:
        size += len(event.data) + len(event.metadata or b"")
        if len(page) >= limit or (page and size > bytes_max):
            break
        page.append(event)
    return page
