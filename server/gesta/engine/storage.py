"""The store as the engine calls it: its failures are heard of, and no call of it is for ever.

A disk that has stalled answers neither well nor ill. `abandon` ends the wait for it: every call
under way, and every one after it, raises StorageFailed.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, TypeVar

from gesta.store.port import (
    Batch,
    CommandRecord,
    EventColumns,
    EventRecord,
    EventStore,
    LogInfo,
    StorageFailed,
    Stream,
    StreamHead,
)

_LOG = logging.getLogger("gesta.engine")

T = TypeVar("T")


class Storage:
    """An EventStore around one. `on_failure` hears of reads that fail, perhaps of several; of
    writes the writer tells, once it has answered all that wait for them."""

    def __init__(self, store: EventStore, on_failure: Callable[[BaseException], None]) -> None:
        self._store = store
        self._on_failure = on_failure
        self._under_way: set[_Call] = set()
        self._ended = False
        """Closed or abandoned: what fails now is no news."""

    async def open(self) -> LogInfo:
        return await self._store.open()

    async def append(self, batch: Batch) -> None:
        with _Call(self._under_way, self._ended):
            await self._store.append(batch)

    async def prune_commands(self, before_us: int, limit: int) -> int:
        with _Call(self._under_way, self._ended):
            return await self._store.prune_commands(before_us, limit)

    async def read_log(
        self, after: int, until: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        with self._read():
            return await self._store.read_log(after, until, limit, bytes_max)

    async def read_log_columns(
        self,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
        make: Callable[[EventColumns], T],
    ) -> list[T]:
        with self._read():
            return await self._store.read_log_columns(after, until, limit, bytes_max, make)

    async def read_log_backwards(
        self, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        with self._read():
            return await self._store.read_log_backwards(before, limit, bytes_max)

    async def read_stream(
        self, stream: Stream, after: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        with self._read():
            return await self._store.read_stream(stream, after, limit, bytes_max)

    async def read_stream_backwards(
        self, stream: Stream, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        with self._read():
            return await self._store.read_stream_backwards(stream, before, limit, bytes_max)

    async def read_positions(
        self, positions: Sequence[int], bytes_max: int | None = None
    ) -> list[EventRecord]:
        with self._read():
            return await self._store.read_positions(positions, bytes_max)

    async def find_stream(
        self, aggregate_type: str, aggregate_id: str, events_max: int = 0
    ) -> StreamHead | None:
        with self._read():
            return await self._store.find_stream(aggregate_type, aggregate_id, events_max)

    async def list_streams(
        self, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        with self._read():
            return await self._store.list_streams(aggregate_type, id_prefix, after_id, limit)

    async def find_command(self, command_id: bytes) -> CommandRecord | None:
        with self._read():
            return await self._store.find_command(command_id)

    async def command_ids_between(self, low: bytes, high: bytes, limit: int) -> list[bytes]:
        with self._read():
            return await self._store.command_ids_between(low, high, limit)

    async def position_at(self, commit_time_us: int) -> int:
        with self._read():
            return await self._store.position_at(commit_time_us)

    async def close(self) -> None:
        self._ended = True
        await self._store.close()

    def abandon(self) -> None:
        """End the wait of all who wait for the store, and let its threads go. Never blocks."""
        self._ended = True
        for call in self._under_way:
            call.cut_off()
        self._store.abandon()

    def _read(self) -> "_Call":
        return _Call(self._under_way, self._ended, self._failed)

    def _failed(self, error: StorageFailed) -> None:
        if not self._ended:
            _LOG.critical("the storage failed; stopping", exc_info=error)
            self._on_failure(error)


class _Call:
    """One call of the store, which can be cut off from outside: as asyncio.timeout does it, by
    cancelling the task and turning the cancellation into an error."""

    __slots__ = ("_cancelled_before", "_is_cut_off", "_on_failure", "_task", "_under_way")

    def __init__(
        self,
        under_way: "set[_Call]",
        ended: bool,
        on_failure: Callable[[StorageFailed], None] | None = None,
    ) -> None:
        if ended:
            raise StorageFailed("the store was given up")
        self._under_way = under_way
        self._on_failure = on_failure
        self._is_cut_off = False

    def __enter__(self) -> None:
        task: asyncio.Task[Any] | None = asyncio.current_task()
        assert task is not None, "a store is called from a task"
        self._task = task
        self._cancelled_before = task.cancelling()
        self._under_way.add(self)

    def cut_off(self) -> None:
        self._is_cut_off = True
        self._task.cancel()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._under_way.discard(self)
        if self._is_cut_off and self._task.uncancel() <= self._cancelled_before:
            raise StorageFailed("the store did not answer") from error
        if self._on_failure is not None and isinstance(error, StorageFailed):
            self._on_failure(error)
