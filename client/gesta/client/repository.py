"""Aggregates that decide here: loaded by replay, saved at the version that was loaded."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast
from uuid import UUID

from gesta.client.appending import Check, NewEvent, append
from gesta.client.connection import Connection
from gesta.client.errors import AggregateNotFound, OutOfRange, Refused, VersionConflict
from gesta.client.event import Event
from gesta.client.ids import CommandIds
from gesta.client.keeping import Keeper, Kept
from gesta.client.payloads import check_call, type_of_aggregate
from gesta.client.reading import Reading, reading_request
from gesta.client.results import Appended, Done
from gesta.domain import Call, Context, Rejected
from gesta.domain.decide import NewEvent as DecidedEvent
from gesta.domain.decide import decide
from gesta.domain.errors import HandlerFailed, Malformed

R = TypeVar("R")
S = TypeVar("S")

PRINCIPAL = "anonymous"
"""Who decides here: the server knows no better without authentication."""


class _Unborne(Exception):
    """The log has another event where a snapshot was taken."""


@dataclass(frozen=True)
class Loaded(Generic[S]):
    """An aggregate as loaded, and what was decided on it since. Immutable, and never stale by
    itself: saving it fails if the aggregate has moved on."""

    aggregate_id: str
    state: S
    """After the changes."""
    version: int
    """As stored, before the changes; 0: it does not exist."""
    token: str
    """Stands for the head that the replay went up to; empty at version 0."""
    last_event: Event | None
    """The last one stored."""
    changes: tuple[DecidedEvent, ...] = ()


class Repository(Generic[S]):
    """Of one aggregate class. For types that the server hosts and for those it has never heard of.

    A hosted type is better asked to execute: that takes one round trip and has no conflicts. No
    aggregate is kept here between calls.
    """

    def __init__(
        self,
        connection: Connection,
        ids: CommandIds,
        aggregate_class: type[S],
        keeper: Keeper | None,
    ) -> None:
        self._connection = connection
        self._ids = ids
        self._keeper = keeper
        self._type = type_of_aggregate(aggregate_class)

    async def load(self, aggregate_id: str) -> Loaded[S]:
        """Replays its events; at version 0, the initial state, where it has none.

        Raises gesta.domain's UnreadableEvent or HandlerFailed for events that this code cannot read
        or fold.
        """
        name = self._type.name
        kept = None if self._keeper is None else await self._keeper.get(name, aggregate_id)
        if kept is not None and kept.fingerprint == self._type.fingerprint:
            loaded = await self._load_behind(kept, aggregate_id)
            if loaded is not None:
                return loaded
        return await self._replay(aggregate_id, self._type.initial, 0)

    async def _load_behind(self, kept: Kept, aggregate_id: str) -> Loaded[S] | None:
        """From a snapshot; None for one that the log does not bear out, or that cannot be read."""
        try:
            state = self._type.decode_state(kept.state)
            return await self._replay(aggregate_id, state, kept.version, kept.event_id)
        except (Malformed, OutOfRange, _Unborne):
            return None

    async def _replay(
        self, aggregate_id: str, state: Any, since: int, event_id: UUID | None = None
    ) -> Loaded[S]:
        """Folds what came after version `since`, whose event must be the one with that id."""
        source = (self._type.name, aggregate_id)
        after = since - 1 if since else None
        request = reading_request(
            source, None, after, False, 0, True
        )  # our code reads old versions
        reading = Reading(self._connection, request)
        last: Event | None = None
        try:
            async for event in reading:
                last = event
                if event.version == since:
                    if event.event_id != event_id:
                        raise _Unborne
                    continue
                for each in self._type.decode_events(
                    event.event_type, event.schema_version, event.data
                ):
                    state = self._type.evolve(state, each)
        except AggregateNotFound:
            pass
        if since and last is None:
            raise _Unborne
        if self._keeper is not None and last is not None:
            await self._keep(self._keeper, aggregate_id, state, last, since)
        version = 0 if last is None else last.version
        return Loaded(aggregate_id, cast("S", state), version, reading.token or "", last)

    async def _keep(
        self, keeper: Keeper, aggregate_id: str, state: Any, last: Event, since: int
    ) -> None:
        every = self._type.snapshot_every
        if every and last.version - since >= every:
            try:
                encoded = self._type.keep_state(state)
            except HandlerFailed:  # there is no snapshot of such a state, and no need of one
                return
            kept = Kept(last.version, last.event_id, self._type.fingerprint, encoded)
            await keeper.put(self._type.name, aggregate_id, kept)

    def decide(self, loaded: Loaded[S], call: Call[S, R]) -> tuple[Loaded[S], R]:
        """The aggregate after the command, not saved yet, and the reply.

        Raises Refused as the server would; gesta.domain's HandlerFailed for a bug in the class.
        """
        after, reply, _ = self._decide(loaded, call)
        return after, reply

    async def save(
        self,
        loaded: Loaded[S],
        *,
        caused_by: Event | None = None,
        timeout_s: float | None = None,
    ) -> Appended | None:
        """Appends the changes at the loaded version; None where there are none to append.

        `caused_by` as in CommandOptions.
        Raises VersionConflict if another writer was there first: load, decide and save again.
        """
        if not loaded.changes:
            return None
        return await self._append(loaded, self._ids.draw(), caused_by, timeout_s)

    async def execute(
        self,
        aggregate_id: str,
        call: Call[S, R],
        *,
        caused_by: Event | None = None,
        attempts: int = 5,
    ) -> Done[R]:
        """Loads, decides and saves, and again on a conflict, `attempts` times at most.

        Raises what `load`, `decide` and `save` raise; VersionConflict after the last attempt.
        """
        if attempts < 1:
            raise ValueError(f"attempts must be 1 or more, not {attempts}")
        while True:
            attempts -= 1
            loaded = await self.load(aggregate_id)
            after, reply, command_id = self._decide(loaded, call)
            if not after.changes:
                position = loaded.last_event.position if loaded.last_event else 0
                return Done(reply, loaded.version, position, loaded.token, 0, False, command_id)
            try:
                saved = await self._append(after, command_id, caused_by, None)
            except VersionConflict:
                if attempts == 0:
                    raise
                continue
            return Done(
                reply,
                loaded.version + len(after.changes),
                saved.position,
                saved.token,
                len(after.changes),
                saved.replayed,
                saved.command_id_bytes,
            )

    def _decide(self, loaded: Loaded[S], call: Call[S, R]) -> tuple[Loaded[S], R, bytes]:
        check_call(call, self._type.name)
        # A new id for each decision: the server remembers what an id stood for, and the next
        # decision appends other events.
        command_id = self._ids.draw()
        now = datetime.now(UTC)
        if loaded.last_event is not None:
            now = max(now, loaded.last_event.commit_time)
        version = loaded.version + len(loaded.changes)
        context = Context(loaded.aggregate_id, version, now, PRINCIPAL, UUID(bytes=command_id))
        arguments = call.contract.decode_arguments(call.encode_arguments())
        try:
            decided = decide(self._type, call.contract, loaded.state, arguments, context)
        except Rejected as rejected:
            raise Refused(
                rejected.message,
                aggregate_type=self._type.name,
                reason=rejected.reason,
                details=rejected.details,
            ) from rejected
        after = replace(loaded, state=decided.state, changes=loaded.changes + decided.events)
        return after, call.decode_reply(decided.reply), command_id

    async def _append(
        self,
        loaded: Loaded[S],
        command_id: bytes,
        caused_by: Event | None,
        timeout_s: float | None,
    ) -> Appended:
        name, aggregate_id = self._type.name, loaded.aggregate_id
        return await append(
            self._connection,
            self._ids,
            [
                NewEvent(
                    name,
                    aggregate_id,
                    each.event_type,
                    each.data,
                    schema_version=each.schema_version,
                )
                for each in loaded.changes
            ],
            [Check(name, aggregate_id, expected_version=loaded.version)],
            command_id=UUID(bytes=command_id),
            caused_by=caused_by,
            timeout_s=timeout_s,
        )
