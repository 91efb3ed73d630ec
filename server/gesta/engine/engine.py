"""The engine: a store and a catalog of aggregates, put to work together.

It knows no transport. The edge hands it records and gets records, bytes and EngineErrors back.
"""

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from gesta.domain.catalog import Catalog
from gesta.engine.appends import Appends
from gesta.engine.command_ids import CommandIds
from gesta.engine.commands import Commands, decision_limits
from gesta.engine.errors import StorageUnavailable
from gesta.engine.feed import Feed
from gesta.engine.history import History
from gesta.engine.indexing import IndexedPages, Indexer
from gesta.engine.limits import Limits
from gesta.engine.log_time import LogTime
from gesta.engine.pages import EncodeColumns, Pages, one_by_one
from gesta.engine.ports import Clock, Randomness, SystemClock, SystemRandomness
from gesta.engine.projections import Projections
from gesta.engine.reading import Reading
from gesta.engine.reads import Reads
from gesta.engine.registry import Registry
from gesta.engine.replay import Replay
from gesta.engine.snapshots import Snapshots
from gesta.engine.storage import Storage
from gesta.engine.tail import Encode
from gesta.engine.token import Tokens
from gesta.engine.views import Evolving
from gesta.engine.watchdog import Watchdog
from gesta.engine.writer import Writer
from gesta.store.event_index import EventIndex
from gesta.store.event_index_memory import MemoryEventIndex
from gesta.store.port import EventStore, LogInfo, StoreError
from gesta.store.snapshots import SnapshotStore
from gesta.store.snapshots_memory import MemorySnapshots

_LOG = logging.getLogger("gesta.engine")
_TICK_S = 1.0
_PRUNE_EVERY_TICKS = 60
_PRUNE_ROWS = 500
"""Old answers forgotten at once. A commit may have to wait for so many: a few milliseconds."""


class Engine:
    """Everything between the edge and the store. `open` it once, `close` it at the end."""

    def __init__(
        self,
        store: EventStore,
        kept: SnapshotStore,
        index: EventIndex,
        log: LogInfo,
        catalog: Catalog,
        encode: Encode,
        encode_columns: EncodeColumns,
        *,
        limits: Limits,
        clock: Clock,
        randomness: Randomness,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self.log = log
        self.catalog = catalog
        self.limits = limits
        self.clock = clock
        self.randomness = randomness
        self._on_failure = on_failure
        self._told_failure = False
        self._storage = store = Storage(store, self._fail)
        self._watchdog = Watchdog(limits.turn_warn_s, limits.turn_kill_s)
        self._time = LogTime(clock, log.last_commit_time_us)
        self._ids = CommandIds(limits, clock)
        self._kept = kept
        self._snapshots = Snapshots(store, kept, self._watchdog, limits)
        replay = Replay(store, self._snapshots, limits, self._watchdog)
        self._registry = Registry(store, replay, self._snapshots, limits)
        self._ticker: asyncio.Task[None] | None = None
        self.tokens = Tokens(log)
        self.evolving = Evolving(catalog, self._watchdog)
        pages = Pages(store, encode, encode_columns, limits)
        self.feed = Feed(pages, log.head, encode, limits)
        self._writer = Writer(
            store,
            self.feed,
            self._ids,
            self._time,
            self._snapshots,
            randomness,
            limits,
            self._fail,
        )
        self.commands = Commands(
            store,
            catalog,
            self._registry,
            self._writer,
            self._ids,
            self._time,
            clock,
            self._watchdog,
            limits,
        )
        self.appends = Appends(
            store, catalog, self._registry, self._writer, self._ids, clock, self._watchdog, limits
        )
        self._add_readers(store, replay, index)

    def _add_readers(self, store: EventStore, replay: Replay, index: EventIndex) -> None:
        """What answers questions, and changes nothing in the log."""
        catalog, limits = self.catalog, self.limits
        self.reads = Reads(store, catalog, self._registry, self.feed, self._time, self._watchdog)
        self._index = index
        self._indexer = Indexer(store, index, self.feed, limits)
        indexed = IndexedPages(store, index, limits)
        self.reading = Reading(store, indexed, self.feed, limits)
        self.projections = Projections(store, self.feed, self._time, self.clock, limits)
        self.history = History(
            store,
            catalog,
            replay,
            self.feed,
            self._time,
            self._watchdog,
            decision_limits(limits),
        )

    @classmethod
    async def open(
        cls,
        store: EventStore,
        catalog: Catalog,
        encode: Encode,
        encode_columns: EncodeColumns | None = None,
        *,
        snapshots: SnapshotStore | None = None,
        index: EventIndex | None = None,
        limits: Limits | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
        on_failure: Callable[[BaseException], None] = lambda error: None,
    ) -> "Engine":
        """Open the store and start the writer. The engine owns the store from here on, and what
        keeps the snapshots and the index, which is memory where it is left out.

        Raises what `EventStore.open` raises. `on_failure` is called once, when the store has failed
        for good: nothing is taken any more, `abandon` is what is left, and the process should end.
        """
        log = await store.open()
        kept, index = snapshots or MemorySnapshots(), index or MemoryEventIndex()
        engine = cls(
            store,
            kept,
            index,
            log,
            catalog,
            encode,
            encode_columns or partial(one_by_one, encode),
            limits=limits or Limits(),
            clock=clock or SystemClock(),
            randomness=randomness or SystemRandomness(),
            on_failure=on_failure,
        )
        try:
            await engine._ids.load(store)
            await kept.open(log)
            await index.open(log, store)
        except BaseException:
            await index.close()
            await kept.close()
            await store.close()
            raise
        engine._writer.start()
        engine._snapshots.start()
        engine._indexer.start()
        engine._watchdog.start()
        engine._ticker = asyncio.get_running_loop().create_task(engine._tick(), name="gesta-tick")
        return engine

    @property
    def head(self) -> int:
        """The last confirmed position."""
        return self.feed.head

    @property
    def live_aggregates(self) -> int:
        """How many aggregates are in memory."""
        return len(self._registry)

    @property
    def failed(self) -> bool:
        """Whether the store has failed for good."""
        return self._writer.failed

    def check_readable(self) -> None:
        """Raise StorageUnavailable once the store has failed: then reads stop too."""
        if self._writer.failed:
            raise StorageUnavailable

    def drain(self) -> None:
        """Take nothing new; what was taken is still answered. Wakes subscribers, to be told; ends
        every wait for projections."""
        self.commands.draining = True
        self.appends.draining = True
        self.feed.wake()
        self.projections.drain()

    @property
    def draining(self) -> bool:
        return self.commands.draining

    def end_process_when_stuck(self) -> None:
        """Have the process ended by a turn that nothing in it can interrupt: see `Watchdog.arm`.
        Not for an engine that shares its process with anything else."""
        self._watchdog.arm()

    async def close(self) -> None:
        """Answer everyone who waits, stop, and close the store. Idempotent. Waits for the store as
        long as it takes."""
        self.drain()
        await self._end()
        await self._index.close()
        await self._kept.close()
        await self._storage.close()

    async def abandon(self) -> None:
        """Instead of `close`, for a store that has failed or does not answer: what waits for it is
        told so, and its threads are let go without being waited for."""
        self.drain()
        self._storage.abandon()
        self._kept.abandon()
        self._index.abandon()
        await self._end()

    async def _end(self) -> None:
        await self.commands.idle()
        await self.appends.idle()
        await self._registry.close()
        if self._ticker is not None:
            self._ticker.cancel()
            await asyncio.gather(self._ticker, return_exceptions=True)
        await self._writer.stop()
        await self._snapshots.stop()
        await self._indexer.stop()
        self._watchdog.stop()

    def _fail(self, error: BaseException) -> None:
        """The store has failed, whoever found out: take nothing more, and say so, once."""
        if not self._told_failure:
            self._told_failure = self._writer.failed = True
            self.feed.wake()  # subscribers look again, and are told
            self._on_failure(error)

    async def _tick(self) -> None:
        """Once a second: let idle aggregates and pages go, keep the newest command ids in memory;
        once a minute: forget old answers."""
        ticks = 0
        while True:
            await asyncio.sleep(_TICK_S)
            ticks += 1
            try:
                await self._tidy(ticks)
            except StoreError:
                pass  # whoever must know has heard of it from the storage
            except Exception:  # whatever it was, the next tick comes
                _LOG.exception("a tick failed")

    async def _tidy(self, ticks: int) -> None:
        self._registry.passivate_idle(self.limits.aggregate_idle_s)
        self.feed.drop_pages()
        await self._ids.look_ahead(self._storage)
        if ticks % _PRUNE_EVERY_TICKS == 0:
            # An id may be ahead of its commit, and so be taken for fresh for as much longer.
            kept_s = self.limits.command_id_window_s + self.limits.command_id_ahead_s
            self._writer.prune(kept_s * 1_000_000, _PRUNE_ROWS)
        # A failure that no call has met is heard of all the same.
        await self._storage.position_at(0)
