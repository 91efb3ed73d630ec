"""Snapshots: states that were confirmed, kept so that a long stream need not be folded again.

They are taken behind the commits, by one task, outside every turn, and kept in a store that may
lose any of them at any time. A snapshot is believed only if the code that folded it is today's (its
fingerprint) and the log has, at its version, the very event it was taken after; that is looked at
in the read that loads the events after it. Whatever is wrong with one costs time, never an answer.
"""

import asyncio
import logging
from collections import OrderedDict
from typing import Any, NamedTuple

from gesta.domain.catalog import AggregateType
from gesta.domain.errors import Malformed
from gesta.engine.actor import NEVER, Actor
from gesta.engine.limits import Limits
from gesta.engine.watchdog import Watchdog
from gesta.store.port import EventRecord, EventStore, StoreError, Stream, checksum
from gesta.store.snapshots import Snapshot, SnapshotStore

_LOG = logging.getLogger("gesta.engine")


class Start(NamedTuple):
    """Where a fold may begin: behind `version`, if the log's event there has the checksum."""

    version: int
    state: Any
    event_checksum: int


class _Wanted(NamedTuple):
    hosted: AggregateType
    stream: Stream
    version: int
    state: Any
    after: tuple[int, int] | None
    """Position and checksum of the event at that version; None: the log is asked."""


class Snapshots:
    """Takes snapshots from `start` to `stop`, and finds them."""

    def __init__(
        self, store: EventStore, kept: SnapshotStore, watchdog: Watchdog, limits: Limits
    ) -> None:
        self._store = store
        self._kept = kept
        self._watchdog = watchdog
        self._limits = limits
        self._wanted: OrderedDict[tuple[str, str], _Wanted] = OrderedDict()
        self._work = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._reported: set[str] = set()
        """Aggregate types of which it was said that a state cannot be kept."""

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="gesta-snapshots")

    async def stop(self) -> None:
        """What is wanted and not taken yet is let go."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def due(self, hosted: AggregateType | None, version: int) -> int:
        """The version at which an aggregate is due that has, or just had, one at this version."""
        if hosted is None or not hosted.snapshot_every:
            return NEVER
        return version + hosted.snapshot_every

    def take(self, actor: Actor, after: EventRecord | None = None) -> None:
        """Have one taken of the confirmed state, soon, and set when the next is due.

        `after` is the event that made it, where that is at hand: to read it from the log costs more
        than all else. Where too many are wanted already it is passed over: the next one comes.
        """
        hosted, stream = actor.type, actor.stream
        actor.snapshot_due = self.due(hosted, actor.confirmed_version)
        if hosted is None:
            return
        key = (stream.aggregate_type, stream.aggregate_id)
        if key not in self._wanted and len(self._wanted) >= self._limits.snapshots_waiting_max:
            return
        place = None if after is None else (after.position, checksum(after))
        version, state = actor.confirmed_version, actor.confirmed_state
        self._wanted[key] = _Wanted(hosted, stream, version, state, place)
        self._work.set()

    def take_at_leave(self, actor: Actor) -> None:
        """The same for an aggregate that leaves memory, where it spares enough events."""
        hosted = actor.type
        if hosted is None or not hosted.snapshot_every:
            return
        newer = actor.confirmed_version - (actor.snapshot_due - hosted.snapshot_every)
        if newer >= min(hosted.snapshot_every, self._limits.snapshot_events_min):
            self.take(actor)

    async def find(self, hosted: AggregateType, stream: Stream, at_most: int) -> Start | None:
        """The newest one of today's code up to that version, not held against the log yet."""
        if not hosted.snapshot_every:
            return None
        found = await self._kept.find(
            stream.aggregate_type, stream.aggregate_id, hosted.fingerprint, at_most
        )
        if found is None:
            return None
        with self._watchdog:
            try:
                state = hosted.decode_state(found.state)
            except Malformed as error:
                _LOG.warning(
                    "the snapshot of %s<%s> at version %d is not used: %s",
                    *(stream.aggregate_type, stream.aggregate_id, found.version, error),
                )
                return None
        return Start(found.version, state, found.event_checksum)

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._wanted:
                some: list[_Wanted] = []
                while self._wanted and len(some) < self._limits.snapshots_at_once_max:
                    some.append(self._wanted.popitem(last=False)[1])
                await self._take(some)

    async def _take(self, some: list[_Wanted]) -> None:
        try:
            taken = [made for each in some if (made := await self._make(each)) is not None]
            if taken:
                await self._kept.save(taken)
        except StoreError:  # the log's; who reads it for an answer tells
            _LOG.warning("no snapshots: the log cannot be read")
        except Exception:  # nobody waits for it, and nothing depends on it
            _LOG.exception("no snapshots were taken of %d aggregates", len(some))

    async def _make(self, wanted: _Wanted) -> Snapshot | None:
        hosted, stream, version, state, after = wanted
        with self._watchdog:
            try:
                encoded = hosted.keep_state(state)
            except Exception as error:  # it is the author's code
                if hosted.name not in self._reported:
                    self._reported.add(hosted.name)
                    _LOG.warning("there are %s without a snapshot: %s", hosted.name, error)
                return None
        if after is None:
            (record,) = await self._store.read_stream(stream, version - 1, 1, 1)
            after = record.position, checksum(record)
        return Snapshot(
            stream.aggregate_type,
            stream.aggregate_id,
            version,
            *after,
            hosted.fingerprint,
            encoded,
        )
