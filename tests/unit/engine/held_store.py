"""A store around a store, whose calls a test holds, lets go and lets fail, one by one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from gesta.store.memory import MemoryStore
from gesta.store.port import (
    Batch,
    CommandRecord,
    EventColumns,
    EventRecord,
    EventStore,
    LogInfo,
    Stream,
    StreamHead,
)

ALL = 1 << 62
T = TypeVar("T")


class Valve:
    """Open, it lets everyone through. Closed, everyone waits and is let through in order."""

    def __init__(self) -> None:
        self._closed = False
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._arrived = asyncio.Event()

    def close(self) -> None:
        self._closed = True

    def open(self) -> None:
        self._closed = False
        self.let(len(self._waiting))

    def let(self, count: int = 1) -> None:
        """Let the first ones through; so many must be waiting."""
        for _ in range(count):
            waiting = self._waiting.popleft()
            if not waiting.done():  # unless whoever waited has left
                waiting.set_result(None)

    def held(self) -> list[asyncio.Future[None]]:
        """Those who wait; a test may let any of them through. `open` comes next."""
        held, self._waiting = list(self._waiting), deque()
        return held

    def let_last(self) -> None:
        """Let the one through that came last."""
        self._waiting.pop().set_result(None)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    async def arrived(self, count: int = 1) -> None:
        """Returns once so many wait."""
        async with asyncio.timeout(10):
            while len(self._waiting) < count:
                self._arrived.clear()
                await self._arrived.wait()

    async def through(self) -> None:
        if self._closed:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(future)
            self._arrived.set()
            await future


@dataclass(frozen=True)
class Failure:
    error: Exception
    after_writing: bool


class HeldStore:
    """`appends`, `prunes`: before it writes; `written`: before it says so. `loads`, `look_ups`,
    `scans`, `pages`: after reading, so that what is let go late is an old answer."""

    def __init__(self, inner: EventStore) -> None:
        self.inner = inner
        self.appends, self.written = Valve(), Valve()
        self.loads, self.look_ups, self.pages = Valve(), Valve(), Valve()
        self.prunes, self.scans = Valve(), Valve()
        self.batches: list[Batch] = []
        """Every batch that was written."""
        self.writes: list[str] = []
        """Every call that writes, "append" or "prune", as it began."""
        self.looked_up: list[bytes] = []
        self.pages_read = 0
        self.append_failures: deque[Failure | None] = deque()
        """What becomes of the next appends; past its end they succeed."""
        self.load_errors: deque[Exception] = deque()
        self.look_up_errors: deque[Exception] = deque()
        self.prune_errors: deque[Exception] = deque()
        self.page_errors: deque[Exception | None] = deque()
        """What becomes of the next pages of the log; past its end they are read."""
        self._info: LogInfo | None = None

    def fail_append(self, error: Exception, *, after_writing: bool = False) -> None:
        self.append_failures.append(Failure(error, after_writing))

    async def open(self) -> LogInfo:
        info = await self.inner.open()
        if isinstance(self.inner, MemoryStore):  # it knows no restart; what it holds tells all
            info = await self._reopened(info)
        return info

    async def append(self, batch: Batch) -> None:
        self.writes.append("append")
        await self.appends.through()
        failure = self.append_failures.popleft() if self.append_failures else None
        if failure is not None and not failure.after_writing:
            raise failure.error
        await self.inner.append(batch)
        self.batches.append(batch)
        await self.written.through()
        if failure is not None:
            raise failure.error

    async def find_stream(
        self, aggregate_type: str, aggregate_id: str, events_max: int = 0
    ) -> StreamHead | None:
        found = await self.inner.find_stream(aggregate_type, aggregate_id, events_max)
        await self.loads.through()
        if self.load_errors:
            raise self.load_errors.popleft()
        return found

    async def find_command(self, command_id: bytes) -> CommandRecord | None:
        self.looked_up.append(command_id)
        found = await self.inner.find_command(command_id)
        await self.look_ups.through()
        if self.look_up_errors:
            raise self.look_up_errors.popleft()
        return found

    async def read_log(
        self, after: int, until: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        return await self._page(self.inner.read_log(after, until, limit, bytes_max))

    async def read_log_columns(
        self,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
        make: Callable[[EventColumns], T],
    ) -> list[T]:
        return await self._page(self.inner.read_log_columns(after, until, limit, bytes_max, make))

    async def _page(self, reading: Awaitable[list[T]]) -> list[T]:
        self.pages_read += 1
        found = await reading
        await self.pages.through()
        failure = self.page_errors.popleft() if self.page_errors else None
        if failure is not None:
            raise failure
        return found

    async def read_log_backwards(
        self, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        return await self.inner.read_log_backwards(before, limit, bytes_max)

    async def read_positions(
        self, positions: Sequence[int], bytes_max: int | None = None
    ) -> list[EventRecord]:
        return await self.inner.read_positions(positions, bytes_max)

    async def read_stream(
        self, stream: Stream, after: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        return await self.inner.read_stream(stream, after, limit, bytes_max)

    async def read_stream_backwards(
        self, stream: Stream, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        return await self.inner.read_stream_backwards(stream, before, limit, bytes_max)

    async def list_streams(
        self, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        return await self.inner.list_streams(aggregate_type, id_prefix, after_id, limit)

    async def command_ids_between(self, low: bytes, high: bytes, limit: int) -> list[bytes]:
        found = await self.inner.command_ids_between(low, high, limit)
        await self.scans.through()
        return found

    async def position_at(self, commit_time_us: int) -> int:
        return await self.inner.position_at(commit_time_us)

    async def prune_commands(self, before_us: int, limit: int) -> int:
        self.writes.append("prune")
        await self.prunes.through()
        if self.prune_errors:
            raise self.prune_errors.popleft()
        return await self.inner.prune_commands(before_us, limit)

    @property
    def valves(self) -> tuple[Valve, ...]:
        return (
            self.appends,
            self.written,
            self.prunes,
            self.loads,
            self.look_ups,
            self.scans,
            self.pages,
        )

    async def close(self) -> None:
        await self.inner.close()

    def abandon(self) -> None:
        self.inner.abandon()

    async def _reopened(self, info: LogInfo) -> LogInfo:
        first = self._info or info
        events = await self.inner.read_log(0, ALL, ALL, ALL)
        ids = await self.inner.command_ids_between(bytes(16), b"\xff" * 16, ALL)
        records = [await self.inner.find_command(each) for each in ids]
        times = [e.commit_time_us for e in events] + [r.commit_time_us for r in records if r]
        self._info = LogInfo(
            log_id=first.log_id,
            incarnations=first.incarnations,
            epoch=first.epoch if self._info is None else self._info.epoch + 1,
            head=len(events),
            last_commit_time_us=max(times, default=0),
        )
        return self._info
