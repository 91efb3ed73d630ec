"""Time travel: aggregates as they stood, and commands as they would go. Writes nothing.

Everything here is folded from a snapshot and the log, never on a live actor, so it neither waits
for commands nor holds them up.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from gesta.domain.catalog import AggregateType, Catalog
from gesta.domain.context import Context
from gesta.domain.decide import DecisionLimits, NewEvent, decide
from gesta.domain.errors import HandlerFailed, InvalidArgument
from gesta.domain.errors import LimitExceeded as DecisionTooLarge
from gesta.domain.rejection import Rejected
from gesta.engine.commands import invalid_argument
from gesta.engine.errors import (
    AggregateNotFound,
    LimitExceeded,
    OutOfRange,
    Refused,
    UnknownAggregateType,
    UnknownCommand,
)
from gesta.engine.faults import handler_broken
from gesta.engine.feed import Feed
from gesta.engine.log_time import LogTime
from gesta.engine.reads import Read
from gesta.engine.replay import Replay, explained
from gesta.engine.watchdog import Watchdog
from gesta.store.port import EventRecord, EventStore, Stream

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_COMMAND = UUID(int=0)


@dataclass(frozen=True, slots=True)
class Moment:
    """When to look: exactly one of these is set."""

    version: int | None = None
    position: int | None = None
    time_us: int | None = None


class Step(NamedTuple):
    """One version of an aggregate."""

    record: EventRecord
    before: bytes | None
    """The state before it as JSON, on the first step only."""
    after: bytes


class Outlook(NamedTuple):
    """What a command would do."""

    version: int
    """After it; where it is refused, the one it was decided at."""
    events: tuple[NewEvent, ...]
    reply: bytes
    refusal: Refused | None
    state: bytes
    head: int


class History:
    """Answers questions about the past of one log's aggregates."""

    def __init__(
        self,
        store: EventStore,
        catalog: Catalog,
        replay: Replay,
        feed: Feed,
        time: LogTime,
        watchdog: Watchdog,
        decision_limits: DecisionLimits,
    ) -> None:
        self._store = store
        self._types = catalog.types
        self._replay = replay
        self._feed = feed
        self._time = time
        self._watchdog = watchdog
        self._decision_limits = decision_limits

    async def state(self, aggregate_type: str, aggregate_id: str, at: Moment) -> Read:
        """The state at a moment.

        Raises UnknownAggregateType, AggregateNotFound, a Fault, and OutOfRange for a moment before
        the first event, past the last version, past the head, or in the future.
        """
        head = self._feed.head
        hosted = self._hosted(aggregate_type)
        where = f"{aggregate_type}<{aggregate_id}>"
        try:
            stream, last = await self._find(aggregate_type, aggregate_id)
            version = await self._version_at(stream, last, at, head)
            state, _ = await self._replay.state_at(hosted, stream, version)
        except Exception as error:
            raise explained(where, error) from error
        return Read(version, self._encode(hosted, state), head)

    async def steps(
        self, aggregate_type: str, aggregate_id: str, after: int, limit: int | None
    ) -> AsyncIterator[Step]:
        """Every event after that version, at most so many, with the state after each.

        Raises as `state` does, OutOfRange before the first step.
        """
        hosted = self._hosted(aggregate_type)
        try:
            stream, last = await self._find(aggregate_type, aggregate_id)
            if not 0 <= after <= last:
                raise OutOfRange("after_version", after, last)
            until = last if limit is None else min(last, after + limit)
            before: bytes | None = None
            async for record, state in self._replay.steps(hosted, stream, after, until):
                encoded = self._encode(hosted, state)
                if record is None:
                    before = encoded
                else:
                    yield Step(record, before, encoded)
                    before = None
        except Exception as error:
            raise explained(f"{aggregate_type}<{aggregate_id}>", error) from error

    async def outlook(
        self,
        aggregate_type: str,
        aggregate_id: str,
        command: str,
        arguments: bytes,
        principal: str,
        at_version: int | None,
    ) -> Outlook:
        """What the command would do at that version, or now. The aggregate need not exist.

        Raises what Execute answers, but for a refusal, and OutOfRange for a version it never had.
        """
        head = self._feed.head
        hosted = self._hosted(aggregate_type)
        if command not in hosted.commands:
            raise UnknownCommand(aggregate_type, command)
        try:
            found = await self._store.find_stream(aggregate_type, aggregate_id)
            last = 0 if found is None else found.version
            version = last if at_version is None else at_version
            if not 0 <= version <= last:
                raise OutOfRange("at_version", version, last)
            stream = Stream(aggregate_type, aggregate_id) if found is None else found.stream
            state, _ = await self._replay.state_at(hosted, stream, version)
        except Exception as error:
            raise explained(f"{aggregate_type}<{aggregate_id}>", error) from error
        now = _EPOCH + timedelta(microseconds=self._time.now_us())
        context = Context(aggregate_id, version, now, principal, _NO_COMMAND)
        return self._decide(hosted, command, arguments, state, context, head)

    def _decide(
        self,
        hosted: AggregateType,
        command: str,
        arguments: bytes,
        state: Any,
        context: Context,
        head: int,
    ) -> Outlook:
        spec, version = hosted.commands[command], context.version
        try:
            with self._watchdog:
                done = decide(
                    hosted,
                    spec,
                    state,
                    spec.decode_arguments(arguments),
                    context,
                    self._decision_limits,
                )
        except InvalidArgument as error:
            raise invalid_argument(error) from None
        except Rejected as error:
            refusal = Refused(hosted.name, str(error.reason), error.message, error.details)
            return Outlook(version, (), b"", refusal, self._encode(hosted, state), head)
        except DecisionTooLarge as error:
            raise LimitExceeded(f"{error.limit}_max", error.value) from None
        except HandlerFailed as error:
            raise handler_broken(f"{hosted.name} {command}", error) from None
        after = self._encode(hosted, done.state)
        return Outlook(version + len(done.events), done.events, done.reply, None, after, head)

    def _hosted(self, aggregate_type: str) -> AggregateType:
        hosted = self._types.get(aggregate_type)
        if hosted is None:
            raise UnknownAggregateType(aggregate_type)
        return hosted

    async def _find(self, aggregate_type: str, aggregate_id: str) -> tuple[Stream, int]:
        found = await self._store.find_stream(aggregate_type, aggregate_id)
        if found is None:
            raise AggregateNotFound(aggregate_type, aggregate_id)
        return found.stream, found.version

    async def _version_at(self, stream: Stream, last: int, at: Moment, head: int) -> int:
        if at.version is not None:
            if not 1 <= at.version <= last:
                raise OutOfRange("at_version", at.version, last, first=1)
            return at.version
        first = (await self._record(stream, 1)).position
        if at.position is not None:
            if not first <= at.position <= head:
                raise OutOfRange("at_position", at.position, head, first=first)
            return await self._last_version_by(stream, last, at.position)
        assert at.time_us is not None, "a moment is one of three"
        first_us, now_us = (await self._record(stream, 1)).commit_time_us, self._time.now_us()
        if not first_us <= at.time_us <= now_us:
            raise OutOfRange("at_time", at.time_us, now_us, first=first_us)
        return await self._last_version_by(stream, last, await self._store.position_at(at.time_us))

    async def _last_version_by(self, stream: Stream, last: int, position: int) -> int:
        """The last version at or before the position, which the first one is; by bisection."""
        low, high = 1, last
        while low < high:
            middle = (low + high + 1) // 2
            if (await self._record(stream, middle)).position <= position:
                low = middle
            else:
                high = middle - 1
        return low

    async def _record(self, stream: Stream, version: int) -> EventRecord:
        return (await self._store.read_stream(stream, version - 1, 1, 1))[0]

    def _encode(self, hosted: AggregateType, state: Any) -> bytes:
        with self._watchdog:
            try:
                return hosted.encode_state(state)
            except Exception as error:  # it is the author's code
                raise handler_broken(f"{hosted.name} state", error) from None
