"""The state of an aggregate: a snapshot, and the pages of its stream after it, folded in slices.

Long streams are folded a few milliseconds at a time, so that nobody else waits for them.
"""

import logging
import time
from asyncio import sleep
from collections.abc import AsyncIterator, Iterable
from typing import Any, NamedTuple

from gesta.domain.catalog import AggregateType
from gesta.domain.errors import UnreadableEvent
from gesta.engine.errors import CorruptEvent, EngineError, StorageUnavailable
from gesta.engine.faults import handler_broken, unreadable
from gesta.engine.limits import Limits
from gesta.engine.snapshots import Snapshots
from gesta.engine.watchdog import Watchdog
from gesta.store.port import CorruptLog, EventRecord, EventStore, StorageFailed, Stream, checksum

_LOG = logging.getLogger("gesta.engine")
_CHECK_EVERY = 32
"""Events folded between two looks at the clock."""


class UnreadableAt(Exception):
    """Today's code cannot read the event at `position`."""

    def __init__(self, position: int, cause: Exception) -> None:
        super().__init__(f"the event at position {position}: {cause}")
        self.position = position
        self.cause = cause


class Replayed(NamedTuple):
    """A state, and the version of the snapshot its fold began at; 0 without one."""

    state: Any
    snapshot_version: int


class _Beginning(NamedTuple):
    """Where a fold begins, with a first page of what follows, if it was read already."""

    version: int
    state: Any
    page: list[EventRecord]


class Replay:
    """Reads streams of one store and folds them. Holds no state of its own."""

    def __init__(
        self, store: EventStore, snapshots: Snapshots, limits: Limits, watchdog: Watchdog
    ) -> None:
        self._store = store
        self._snapshots = snapshots
        self._limits = limits
        self._watchdog = watchdog

    async def state_at(
        self,
        hosted: AggregateType,
        stream: Stream,
        version: int,
        events: list[EventRecord] | None = None,
    ) -> Replayed:
        """The state at a version that the stream has, 0 included. `events` are all up to it, if
        they were read already.

        Raises CorruptLog where the stream ends before it, UnreadableAt, HandlerFailed, and what the
        store raises.
        """
        if events is not None:
            begin = _Beginning(0, hosted.initial, events)
        else:
            begin = await self._begin(hosted, stream, version, version)
        reached, state, page = begin
        while reached < version:
            page = page or await self._next_page(stream, reached, version)
            state = await self._fold(hosted, state, page)
            reached, page = page[-1].version, []
        return Replayed(state, begin.version)

    async def steps(
        self, hosted: AggregateType, stream: Stream, after: int, until: int
    ) -> AsyncIterator[tuple[EventRecord | None, Any]]:
        """The state at `after`, with None, then every event up to `until` and the state after it.

        Raises as `state_at` does.
        """
        begin = await self._begin(hosted, stream, after, until)
        if begin.version == after:
            yield None, begin.state
        async for record, state in self._steps(hosted, stream, begin, until):
            if record.version >= after:
                yield (None if record.version == after else record), state

    async def _begin(
        self, hosted: AggregateType, stream: Stream, at_most: int, until: int
    ) -> _Beginning:
        """Behind a snapshot that the log bears out, or at the beginning of the stream."""
        nothing = _Beginning(0, hosted.initial, [])
        if at_most < self._limits.snapshot_events_min:
            return nothing
        found = await self._snapshots.find(hosted, stream, at_most)
        if found is None:
            return nothing
        page = await self._page(stream, found.version - 1, until)
        if not page or checksum(page[0]) != found.event_checksum:
            _LOG.warning("a snapshot of %s<%s> is of another log", hosted.name, stream.aggregate_id)
            return nothing
        return _Beginning(found.version, found.state, page[1:])

    async def _steps(
        self, hosted: AggregateType, stream: Stream, begin: _Beginning, until: int
    ) -> AsyncIterator[tuple[EventRecord, Any]]:
        version, state, page = begin
        while version < until:
            page = page or await self._next_page(stream, version, until)
            began = time.monotonic()
            for index, record in enumerate(page):
                state = self._fold_some(hosted, state, (record,))
                yield record, state
                if index % _CHECK_EVERY == 0 and self._is_over(began):
                    await sleep(0)
                    began = time.monotonic()
            version, page = page[-1].version, []

    async def _next_page(self, stream: Stream, after: int, until: int) -> list[EventRecord]:
        page = await self._page(stream, after, until)
        if not page:
            raise CorruptLog(f"{stream.aggregate_id} ends before version {until}")
        return page

    async def _page(self, stream: Stream, after: int, until: int) -> list[EventRecord]:
        events_max = min(self._limits.load_page_events, until - after)
        return await self._store.read_stream(
            stream, after, events_max, self._limits.scan_page_bytes
        )

    async def _fold(self, hosted: AggregateType, state: Any, page: list[EventRecord]) -> Any:
        """The state after a page, without the states between, which `_steps` gives at twice the
        price."""
        began = time.monotonic()
        for at in range(0, len(page), _CHECK_EVERY):
            state = self._fold_some(hosted, state, page[at : at + _CHECK_EVERY])
            if self._is_over(began):
                await sleep(0)
                began = time.monotonic()
        return state

    def _is_over(self, began: float) -> bool:
        """Whether it is the others' turn."""
        return time.monotonic() - began > self._limits.fold_slice_ms / 1_000

    def _fold_some(self, hosted: AggregateType, state: Any, records: Iterable[EventRecord]) -> Any:
        with self._watchdog:
            for record in records:
                try:
                    events = hosted.decode_events(
                        record.event_type, record.schema_version, record.data
                    )
                except UnreadableEvent as error:
                    raise UnreadableAt(record.position, error) from error
                for event in events:
                    state = hosted.evolve(state, event)
        return state


def explained(where: str, error: Exception) -> EngineError:
    """What a replay raised, as its callers are to hear it."""
    if isinstance(error, EngineError):
        return error
    if isinstance(error, CorruptLog):
        return CorruptEvent(error.position)
    if isinstance(error, StorageFailed):
        return StorageUnavailable()
    if isinstance(error, UnreadableAt):
        return unreadable(where, error.position, error.cause)
    return handler_broken(where, error)
