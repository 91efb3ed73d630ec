"""The live aggregates: find or load one, pin it, let idle ones go.

An actor that is loading, pinned, busy or unconfirmed is never evicted, so whoever holds one in a
step without await may use it: there is no "stopped just now" to run into.
"""

import asyncio
from collections import OrderedDict
from itertools import islice

from gesta.domain.catalog import AggregateType
from gesta.engine.actor import Actor
from gesta.engine.errors import Overloaded
from gesta.engine.limits import Limits
from gesta.engine.replay import Replay, explained
from gesta.engine.snapshots import Snapshots
from gesta.store.port import EventStore, Stream

_EVICTION_SCAN_MAX = 64
"""Busy actors that are passed over to find an idle one; they were just used, so they move on."""

_PASSIVATE_MAX = 10_000
"""Idle actors looked at in one tick, a few milliseconds' worth; the rest goes with the next."""


class Registry:
    """Actors by type and id, least recently used first."""

    def __init__(
        self, store: EventStore, replay: Replay, snapshots: Snapshots, limits: Limits
    ) -> None:
        self._store = store
        self._replay = replay
        self._snapshots = snapshots
        self._limits = limits
        self._actors: OrderedDict[tuple[str, str], Actor] = OrderedDict()
        self._loads = asyncio.Semaphore(limits.loads_at_once_max)
        self._loading: set[asyncio.Task[None]] = set()
        self._tick = 0

    def __len__(self) -> int:
        return len(self._actors)

    def live(self, aggregate_type: str, aggregate_id: str) -> Actor | None:
        """The actor, loaded or still loading, if it is in memory; counts as a use."""
        key = (aggregate_type, aggregate_id)
        actor = self._actors.get(key)
        if actor is not None:
            self._actors.move_to_end(key)
            actor.used_at = self._tick
        return actor

    def load(self, aggregate_type: str, aggregate_id: str, hosted: AggregateType | None) -> Actor:
        """A new actor whose loading has begun; `loaded` tells how it ends.

        Raises Overloaded when memory is full of actors that cannot go.
        """
        if len(self._actors) >= self._limits.aggregates_live_max and not self._evict_one():
            raise Overloaded("aggregates_live_max")
        state = None if hosted is None else hosted.initial
        actor = Actor(hosted, Stream(aggregate_type, aggregate_id), 0, state, 0, state)
        actor.used_at = self._tick
        actor.snapshot_due = self._snapshots.due(hosted, 0)
        loop = asyncio.get_running_loop()
        actor.loaded = loop.create_future()
        # A load that nobody awaits any more must not warn that its error was never retrieved.
        actor.loaded.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._actors[aggregate_type, aggregate_id] = actor
        task = loop.create_task(self._load(actor))
        self._loading.add(task)
        task.add_done_callback(self._loading.discard)
        return actor

    async def pin(
        self, aggregate_type: str, aggregate_id: str, hosted: AggregateType | None
    ) -> Actor:
        """A loaded actor that stays until `unpin`. Raises what loading raises, without a pin."""
        actor = self.live(aggregate_type, aggregate_id)
        if actor is None:
            actor = self.load(aggregate_type, aggregate_id, hosted)
        actor.pins += 1
        if actor.loaded is not None:
            try:
                await asyncio.shield(actor.loaded)
            except BaseException:
                actor.pins -= 1
                raise
        return actor

    def unpin(self, actor: Actor) -> None:
        actor.pins -= 1

    def passivate_idle(self, idle_ticks: int) -> int:
        """Move time on by one tick, and let go of actors unused for so many; how many went."""
        self._tick += 1
        idle: list[tuple[str, str]] = []
        for key, actor in islice(self._actors.items(), _PASSIVATE_MAX):
            if actor.used_at > self._tick - idle_ticks:
                break
            if actor.evictable:
                idle.append(key)
        for key in idle:
            self._snapshots.take_at_leave(self._actors.pop(key))
        return len(idle)

    async def close(self) -> None:
        """Wait for loads under way; their waiters get their answers."""
        if self._loading:
            await asyncio.wait(self._loading)

    def _evict_one(self) -> bool:
        for key in list(islice(self._actors, _EVICTION_SCAN_MAX)):
            if self._actors[key].evictable:
                self._snapshots.take_at_leave(self._actors.pop(key))
                return True
            self._actors.move_to_end(key)
        return False

    async def _load(self, actor: Actor) -> None:
        """Read and fold the stream. On failure the actor is forgotten and its waiters hear why."""
        loaded = actor.loaded
        assert loaded is not None
        try:
            async with self._loads:
                await self._fold(actor)
        except Exception as error:
            key = (actor.stream.aggregate_type, actor.stream.aggregate_id)
            if self._actors.get(key) is actor:
                del self._actors[key]
            if not loaded.done():
                loaded.set_exception(explained(str(actor), error))
        else:
            actor.loaded = None
            if not loaded.done():
                loaded.set_result(None)

    async def _fold(self, actor: Actor) -> None:
        # Of fewer than that no snapshot is looked for.
        few = 0 if actor.type is None else self._limits.snapshot_events_min - 1
        found = await self._store.find_stream(
            actor.stream.aggregate_type, actor.stream.aggregate_id, few
        )
        if found is None:
            return
        actor.stream = found.stream
        if actor.type is None:
            actor.version = actor.confirmed_version = found.version
            return
        state, since = await self._replay.state_at(
            actor.type, found.stream, found.version, found.events
        )
        actor.version = actor.confirmed_version = found.version
        actor.state = actor.confirmed_state = state
        actor.snapshot_due = self._snapshots.due(actor.type, since)
        if found.version >= actor.snapshot_due:
            self._snapshots.take(actor)
