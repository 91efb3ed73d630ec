"""The state of an aggregate as its stream says it: pages of events, folded in slices.

Long streams are folded a few milliseconds at a time, so that nobody else waits for them.
"""

import time
from asyncio import sleep
from collections.abc import AsyncIterator
from typing import Any

from gesta.domain.catalog import AggregateType
from gesta.domain.errors import UnreadableEvent
from gesta.engine.errors import CorruptEvent, EngineError, StorageUnavailable
from gesta.engine.faults import handler_broken, unreadable
from gesta.engine.limits import Limits
from gesta.engine.watchdog import Watchdog
from gesta.store.port import CorruptLog, EventRecord, EventStore, StorageFailed, Stream

_CHECK_EVERY = 32
"""Events folded between two looks at the clock."""


class UnreadableAt(Exception):
    """Today's code cannot read the event at `position`."""

    def __init__(self, position: int, cause: Exception) -> None:
        super().__init__(f"the event at position {position}: {cause}")
        self.position = position
        self.cause = cause


class Replay:
    """Reads streams of one store and folds them. Holds no state of its own."""

    def __init__(self, store: EventStore, limits: Limits, watchdog: Watchdog) -> None:
        self._store = store
        self._limits = limits
        self._watchdog = watchdog

    async def state_at(self, hosted: AggregateType, stream: Stream, version: int) -> Any:
        """The state at a version that the stream has, 0 included.

        Raises CorruptLog where the stream ends before it, UnreadableAt, HandlerFailed, and what the
        store raises.
        """
        state = hosted.initial
        async for _, after in self.steps(hosted, stream, version):
            state = after
        return state

    async def steps(
        self, hosted: AggregateType, stream: Stream, until: int
    ) -> AsyncIterator[tuple[EventRecord, Any]]:
        """Every event up to that version, with the state after it. Raises as `state_at` does."""
        version, state = 0, hosted.initial
        while version < until:
            page = await self._store.read_stream(
                stream, version, self._limits.load_page_events, self._limits.scan_page_bytes
            )
            if not page:
                raise CorruptLog(f"{stream.aggregate_id} ends before version {until}")
            began = time.monotonic()
            for index, record in enumerate(page):
                if record.version > until:
                    return
                state = self._fold(hosted, state, record)
                yield record, state
                if index % _CHECK_EVERY == 0 and (
                    time.monotonic() - began > self._limits.fold_slice_ms / 1_000
                ):
                    await sleep(0)
                    began = time.monotonic()
            version = page[-1].version

    def _fold(self, hosted: AggregateType, state: Any, record: EventRecord) -> Any:
        with self._watchdog:
            try:
                events = hosted.decode_events(record.event_type, record.schema_version, record.data)
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
