"""Direct appends: events from importers, repositories and other writers, without a command.

They go through the same actors, so that a state in memory never misses one: every stream named is
pinned (and loaded), then all is checked, decoded, evolved and queued in one step without await.
"""

import asyncio
from typing import Any

from gesta.domain.catalog import AggregateType, Catalog
from gesta.domain.decide import NewEvent
from gesta.domain.errors import UndecodableEvent, UnknownEvent, UpcastFailed
from gesta.engine.actor import Actor
from gesta.engine.batch import Decided, OpenBatch, Written
from gesta.engine.command_ids import CommandIds, Standing
from gesta.engine.commands import remembered
from gesta.engine.conditions import check
from gesta.engine.errors import (
    CommandIdReused,
    Draining,
    EngineError,
    InvalidRequest,
    LimitExceeded,
    Outcome,
    Overloaded,
    StorageUnavailable,
    UnknownAggregateType,
    Unmet,
)
from gesta.engine.faults import handler_broken, internal
from gesta.engine.limits import Limits
from gesta.engine.messages import Accepted, Append, Proposed
from gesta.engine.ports import Clock
from gesta.engine.registry import Registry
from gesta.engine.watchdog import Watchdog
from gesta.engine.writer import Writer
from gesta.store.port import CommandRecord, EventStore

_make = tuple.__new__  # a NamedTuple in a third of the time that calling it takes

_Key = tuple[str, str]


class Appends:
    """Takes appends in, one call each."""

    def __init__(
        self,
        store: EventStore,
        catalog: Catalog,
        registry: Registry,
        writer: Writer,
        ids: CommandIds,
        clock: Clock,
        watchdog: Watchdog,
        limits: Limits,
    ) -> None:
        self._store = store
        self._types = catalog.types
        self._registry = registry
        self._writer = writer
        self._ids = ids
        self._clock = clock
        self._watchdog = watchdog
        self._limits = limits
        self._waiting = 0
        self._tasks: set[asyncio.Task[Accepted | EngineError]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False

    async def append(self, append: Append) -> Accepted:
        """Write all events or none. Raises an EngineError; cancelling it cancels the wait only."""
        streams, size = _streams(append), _stored_bytes(append)
        self._admit(append, streams, size)
        self._waiting += 1
        self._idle.clear()
        task = asyncio.get_running_loop().create_task(self._write(append, streams, size))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        done = await asyncio.shield(task)
        if isinstance(done, EngineError):
            raise done
        return done

    async def _write(
        self, append: Append, streams: list[_Key], size: int
    ) -> Accepted | EngineError:
        """The append, whether or not its caller still waits for it. Counts until it is answered."""
        actors: dict[_Key, Actor] = {}
        try:
            for key in streams:
                actors[key] = await self._registry.pin(*key, self._types.get(key[0]))
            stored = None
            if self._ids.standing(append.command_id) is Standing.UNCERTAIN:
                stored = await self._ids.look_up(self._store, append.command_id)
            answer: asyncio.Future[Accepted | EngineError] = (
                asyncio.get_running_loop().create_future()
            )
            self._step(append, size, actors, stored, answer)
            return await answer
        except EngineError as error:
            return error
        except Exception as error:  # whoever waits must be told of a bug too
            return internal("an append", error, Outcome.UNKNOWN)
        finally:
            for actor in actors.values():
                self._registry.unpin(actor)
            self._waiting -= 1
            if not self._waiting:
                self._idle.set()

    async def idle(self) -> None:
        """Returns once no append waits for its answer."""
        await self._idle.wait()

    def _admit(self, append: Append, streams: list[_Key], size: int) -> None:
        if self.draining:
            raise Draining
        if self._writer.failed:
            raise StorageUnavailable
        if self._waiting >= self._limits.appends_waiting_max:
            raise Overloaded("appends_waiting_max")
        if len(streams) > self._limits.aggregates_per_append_max:
            raise LimitExceeded("aggregates_per_append_max", self._limits.aggregates_per_append_max)
        if len(append.events) > self._limits.events_per_command_max:
            raise LimitExceeded("events_per_command_max", self._limits.events_per_command_max)
        if size > self._limits.bytes_per_command_max:
            raise LimitExceeded("bytes_per_command_max", self._limits.bytes_per_command_max)
        if max(len(e.data) for e in append.events) > self._limits.bytes_per_event_max:
            raise LimitExceeded("bytes_per_event_max", self._limits.bytes_per_event_max)
        for aggregate_type, _ in streams:
            if self._types and aggregate_type not in self._types:
                raise UnknownAggregateType(aggregate_type)
        self._ids.check_age(append.command_id, self._clock.now_us())

    def _step(
        self,
        append: Append,
        size: int,
        actors: dict[_Key, Actor],
        stored: CommandRecord | None,
        answer: "asyncio.Future[Accepted | EngineError]",
    ) -> None:
        """Everything that must see one and the same state, in one step without await."""

        def resolve(result: Accepted | EngineError) -> None:
            if not answer.done():
                answer.set_result(result)

        command_id = append.command_id
        if self._writer.failed:
            return resolve(StorageUnavailable())
        if self._writer.join(command_id, append.fingerprint, resolve):
            return None
        if stored is not None:
            same = stored.fingerprint == append.fingerprint
            return resolve(remembered(stored) if same else CommandIdReused(command_id))
        refusal = self._ids.refusal(command_id)
        if refusal is not None:
            same = refusal.fingerprint == append.fingerprint
            return resolve(refusal.error if same else CommandIdReused(command_id))
        item = Decided(command_id, append.fingerprint, append.envelope, [resolve])
        try:
            for demand in append.checks:
                actor = actors[demand.aggregate_type, demand.aggregate_id]
                check(actor, demand.expected_version, demand.must_exist)
            with self._watchdog:  # once for all of them: it is one turn
                after = _evolved(append, actors, item)
        except EngineError as error:
            return self._refuse(item, error, actors)
        for actor, version, state in after:
            actor.version, actor.state = version, state
        item.changes = after
        item.version = after[0][1] if len(after) == 1 else 0
        item.event_bytes = size
        batch = self._writer.add(item)
        for actor, _, _ in after:
            actor.gate = batch
        return None

    def _refuse(self, item: Decided, error: EngineError, actors: dict[_Key, Actor]) -> None:
        """Answer a refusal once all it rests on is committed: the latest of the gates."""
        gates: list[OpenBatch] = [a.gate for a in actors.values() if a.gate is not None]
        item.refusal, item.memorable = error.bare(), isinstance(error, Unmet)
        item.events.clear()
        if gates:
            self._writer.follow(self._writer.latest(gates), item)
            return
        if item.memorable:
            self._ids.refused(item.command_id, item.fingerprint, error)
        item.answer(error)


def _evolved(
    append: Append, actors: dict[_Key, Actor], item: Decided
) -> list[tuple[Actor, int, object]]:
    """Decode and fold every event on top of the tentative states, changing none of them.

    Notes the events as they will be written, and returns each actor with its version and state.
    """
    after: dict[_Key, tuple[Actor, int, object]] = {}
    written = item.events
    for index, event in enumerate(append.events):
        aggregate_type, aggregate_id, event_type, schema_version, data, occurred, metadata = event
        key = (aggregate_type, aggregate_id)
        before = after.get(key)
        if before is None:
            actor = actors[key]
            version, state = actor.version, actor.state
        else:
            actor, version, state = before
        version += 1
        if actor.type is not None:
            state = _folded(actor, actor.type, state, event, index)
        after[key] = (actor, version, state)
        new = _make(NewEvent, (event_type, schema_version, data))
        written.append(_make(Written, (actor.stream, version, new, occurred, metadata)))
    return list(after.values())


def _folded(actor: Actor, hosted: AggregateType, state: object, event: Proposed, index: int) -> Any:
    """The state after an event. Raises InvalidRequest for one that the type cannot read."""
    try:
        parts = hosted.decode_events(event.event_type, event.schema_version, event.data)
    except UnknownEvent as error:
        raise InvalidRequest(f"events[{index}].event_type", str(error)) from None
    except UndecodableEvent as error:
        raise InvalidRequest(f"events[{index}].data", str(error)) from None
    except UpcastFailed as error:  # its text may quote the author's code
        raise handler_broken(f"{actor} upcast", error) from None
    try:
        for part in parts:
            state = hosted.evolve(state, part)
    except Exception as error:  # it is the author's code
        raise handler_broken(f"{actor} evolve", error) from None
    return state


def _stored_bytes(append: Append) -> int:
    """Bytes of its events as they will be stored: payloads, metadata and envelopes."""
    size = sum(len(e.data) + len(e.metadata or b"") for e in append.events)
    return size + len(append.events) * append.envelope.bytes_per_event


def _streams(append: Append) -> list[_Key]:
    """The streams an append touches, each once, in a fixed order."""
    keys = {(e.aggregate_type, e.aggregate_id) for e in append.events}
    keys |= {(c.aggregate_type, c.aggregate_id) for c in append.checks}
    return sorted(keys)
