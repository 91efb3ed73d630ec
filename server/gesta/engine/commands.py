"""Commands: admission, the bounded mailbox, and the turn in which one is decided.

The common case takes no task and no await: the actor is live, nothing waits before the command,
its id is fresh, so it is decided at once, on the tentative state. Only a turn that must wait (for
loading, or for a look-up of an old command id) starts a drain, which ends with the mailbox.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID

from gesta.domain.catalog import Catalog
from gesta.domain.context import Context
from gesta.domain.decide import DecisionLimits, decide
from gesta.domain.errors import HandlerFailed, InvalidArgument
from gesta.domain.errors import LimitExceeded as DecisionTooLarge
from gesta.domain.fingerprint import fingerprint
from gesta.domain.rejection import Rejected
from gesta.engine.actor import Actor
from gesta.engine.batch import Decided, Written
from gesta.engine.command_ids import CommandIds, Standing
from gesta.engine.conditions import check
from gesta.engine.errors import (
    CommandIdReused,
    Draining,
    EngineError,
    ExpiredInQueue,
    InvalidRequest,
    LimitExceeded,
    Outcome,
    Overloaded,
    Refused,
    StorageUnavailable,
    UnknownAggregateType,
    UnknownCommand,
    Unmet,
)
from gesta.engine.faults import handler_broken, internal
from gesta.engine.limits import Limits
from gesta.engine.log_time import LogTime
from gesta.engine.messages import Accepted, Command
from gesta.engine.ports import Clock
from gesta.engine.registry import Registry
from gesta.engine.watchdog import Watchdog
from gesta.engine.writer import Writer
from gesta.store.port import CommandRecord, EventStore

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_CONTEXT = Context("", 0, _EPOCH, "", UUID(int=0))
"""For a command that does not ask for one."""
_make = tuple.__new__  # a NamedTuple in a third of the time that calling it takes
_Answer = Callable[[Accepted | EngineError], None]


class Commands:
    """Takes commands in and sees that each is answered exactly once."""

    def __init__(
        self,
        store: EventStore,
        catalog: Catalog,
        registry: Registry,
        writer: Writer,
        ids: CommandIds,
        time: LogTime,
        clock: Clock,
        watchdog: Watchdog,
        limits: Limits,
    ) -> None:
        self._store = store
        self._types = catalog.types
        self._registry = registry
        self._writer = writer
        self._ids = ids
        self._time = time
        self._clock = clock
        self._watchdog = watchdog
        self._limits = limits
        self._decision_limits = decision_limits(limits)
        self.waiting = 0
        """Commands undecided or unanswered."""
        self._waiting_bytes = 0
        self._drains: set[asyncio.Task[None]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.draining = False
        """Nothing new is taken; what was taken is still answered."""

    def execute(self, command: Command) -> None:
        """Take a command in. Never raises; `command.on_answer` gets the answer, perhaps at once."""
        try:
            actor = self._admit(command)
        except EngineError as error:
            command.on_answer(error)
            return
        except Exception as error:  # whoever waits must be told of a bug too
            command.on_answer(internal("admission", error, Outcome.NOT_DONE))
            return
        self._take(actor, command)
        if actor.drain is None and actor.loaded is None:
            if self._must_look_up(command):
                self._enqueue(actor, command)
            else:
                self._turn(actor, command, None)
        else:
            self._enqueue(actor, command)

    async def idle(self) -> None:
        """Returns once no command waits for its answer."""
        await self._idle.wait()

    # Admission: what can be said without the aggregate.

    def _admit(self, command: Command) -> Actor:
        if self.draining:
            raise Draining
        if self._writer.failed:
            raise StorageUnavailable
        hosted = self._types.get(command.aggregate_type)
        if hosted is None:
            raise UnknownAggregateType(command.aggregate_type)
        if command.name not in hosted.commands:
            raise UnknownCommand(command.aggregate_type, command.name)
        self._ids.check_age(command.command_id, self._clock.now_us())
        if self.waiting >= self._limits.commands_waiting_max:
            raise Overloaded("commands_waiting_max")
        if self._waiting_bytes + self._writer.bytes_waiting > self._limits.bytes_waiting_max:
            raise Overloaded("bytes_waiting_max")
        actor = self._registry.live(command.aggregate_type, command.aggregate_id)
        if actor is None:
            actor = self._registry.load(command.aggregate_type, command.aggregate_id, hosted)
        if actor.waiting >= self._limits.commands_waiting_per_aggregate_max:
            raise Overloaded("commands_waiting_per_aggregate_max")
        return actor

    def _take(self, actor: Actor, command: Command) -> None:
        """Count the command as waiting until it is answered, however that comes about."""
        caller = command.on_answer
        size = len(command.arguments) + command.envelope.bytes_per_event
        actor.waiting += 1
        self.waiting += 1
        self._waiting_bytes += size
        self._idle.clear()

        def answered(answer: Accepted | EngineError) -> None:
            actor.waiting -= 1
            self.waiting -= 1
            self._waiting_bytes -= size
            if not self.waiting:
                self._idle.set()
            try:
                caller(answer)
            except Exception as error:  # whoever else waits must not suffer for it
                internal("whoever took an answer", error, Outcome.UNKNOWN)

        command.on_answer = answered

    def _must_look_up(self, command: Command) -> bool:
        return self._ids.standing(command.command_id) is Standing.UNCERTAIN

    # The mailbox.

    def _enqueue(self, actor: Actor, command: Command) -> None:
        if actor.mailbox is None:
            actor.mailbox = deque()
        actor.mailbox.append(command)
        if actor.drain is None:
            task = asyncio.get_running_loop().create_task(self._drain(actor))
            actor.drain = task
            self._drains.add(task)
            task.add_done_callback(self._drains.discard)

    async def _drain(self, actor: Actor) -> None:
        """Take turns until the mailbox is empty. Whatever goes wrong, all in it are answered."""
        mailbox = actor.mailbox
        assert mailbox is not None
        try:
            if actor.loaded is not None:
                await asyncio.shield(actor.loaded)
            while mailbox:
                await self._take_turn(actor, mailbox.popleft())
        except EngineError as error:
            _answer_all(mailbox, error)
        except Exception as error:  # whoever waits must be told of a bug too
            _answer_all(mailbox, internal(str(actor), error, Outcome.NOT_DONE))
        finally:
            actor.drain = None
            actor.mailbox = None

    async def _take_turn(self, actor: Actor, command: Command) -> None:
        """One turn, with the look-up that an old command id takes."""
        stored = None
        if self._must_look_up(command):
            try:
                stored = await self._ids.look_up(self._store, command.command_id)
            except EngineError as error:
                command.on_answer(error)
                return
            except Exception as error:  # whoever waits must be told of a bug too
                command.on_answer(internal(str(actor), error, Outcome.NOT_DONE))
                return
        self._turn(actor, command, stored)

    # The turn: one step, without await.

    def _turn(self, actor: Actor, command: Command, stored: CommandRecord | None) -> None:
        """Decide one command, or find that it was decided before."""
        if self._writer.failed:
            command.on_answer(StorageUnavailable())
            return
        try:
            hosted = self._types[command.aggregate_type]
            mark = fingerprint(hosted, command.aggregate_id, command.name, command.arguments)
        except InvalidArgument as error:
            command.on_answer(invalid_argument(error))
            return
        except Exception as error:  # whoever waits must be told of a bug too
            command.on_answer(internal(str(actor), error, Outcome.NOT_DONE))
            return
        if self._answer_again(command, mark, stored):
            return
        # Only now: what was decided before has its answer, however late it is asked for.
        if command.deadline is not None and self._clock.monotonic() > command.deadline:
            command.on_answer(ExpiredInQueue())
            return
        item = Decided(command.command_id, mark, command.envelope, [command.on_answer])
        try:
            check(actor, command.expected_version, command.must_exist)
            self._decide(actor, command, item)
        except EngineError as error:
            self._refuse(actor, item, error)
        except Exception as error:  # whoever waits must be told of a bug too
            self._refuse(actor, item, internal(str(actor), error, Outcome.NOT_DONE))
        else:
            batch = self._writer.add(item)
            if item.events:
                actor.gate = batch

    def _answer_again(self, command: Command, mark: bytes, stored: CommandRecord | None) -> bool:
        """Answer from an earlier attempt at the same command id, if there was one."""
        if self._writer.join(command.command_id, mark, command.on_answer):
            return True
        if stored is not None:
            same = stored.fingerprint == mark
            command.on_answer(remembered(stored) if same else CommandIdReused(command.command_id))
            return True
        refusal = self._ids.refusal(command.command_id)
        if refusal is None:
            return False
        same = refusal.fingerprint == mark
        command.on_answer(refusal.error if same else CommandIdReused(command.command_id))
        return True

    def _decide(self, actor: Actor, command: Command, item: Decided) -> None:
        """Run the aggregate's code and note what it did on the item and on the tentative state."""
        hosted = actor.type
        assert hosted is not None
        spec = hosted.commands[command.name]
        context = self._context(actor, command) if spec.takes_context else _NO_CONTEXT
        with self._watchdog:
            try:
                arguments = spec.decode_arguments(command.arguments)
                done = decide(hosted, spec, actor.state, arguments, context, self._decision_limits)
            except InvalidArgument as error:
                raise invalid_argument(error) from None
            except Rejected as error:
                raise Refused(
                    hosted.name, str(error.reason), error.message, error.details
                ) from None
            except DecisionTooLarge as error:
                raise LimitExceeded(f"{error.limit}_max", error.value) from None
            except HandlerFailed as error:
                raise handler_broken(f"{actor} {command.name}", error) from None
        version, stream, envelope = actor.version, actor.stream, command.envelope
        size = len(done.events) * envelope.bytes_per_event
        for event in done.events:
            version += 1
            size += len(event.data)
            written = (stream, version, event, envelope.occurred_at_us, envelope.metadata)
            item.events.append(_make(Written, written))
        if size > self._limits.bytes_per_command_max:
            item.events.clear()
            raise LimitExceeded("bytes_per_command_max", self._limits.bytes_per_command_max)
        item.version, item.reply, item.event_bytes = version, done.reply, size
        if item.events:
            item.changes.append((actor, version, done.state))
            actor.version, actor.state = version, done.state

    def _context(self, actor: Actor, command: Command) -> Context:
        return Context(
            command.aggregate_id,
            actor.version,
            _EPOCH + timedelta(0, 0, self._time.now_us()),
            command.envelope.principal,
            UUID(bytes=command.command_id),
        )

    def _refuse(self, actor: Actor, item: Decided, error: EngineError) -> None:
        """Answer a refusal once all it rests on is committed."""
        memorable = isinstance(error, Unmet)
        if actor.gate is not None:
            item.refusal, item.memorable = error.bare(), memorable
            self._writer.follow(actor.gate, item)
            return
        if memorable:
            self._ids.refused(item.command_id, item.fingerprint, error)
        item.answer(error)


def remembered(stored: CommandRecord) -> Accepted:
    """The answer that was stored with a command."""
    return Accepted(
        stored.version,
        stored.position,
        stored.event_count,
        stored.reply,
        stored.command_id,
        replayed=True,
    )


def decision_limits(limits: Limits) -> DecisionLimits:
    """Those of the limits that a decision must know."""
    return DecisionLimits(
        events_per_command=limits.events_per_command_max,
        bytes_per_command=limits.bytes_per_command_max,
        bytes_per_event=limits.bytes_per_event_max,
        bytes_per_reply=limits.bytes_per_reply_max,
    )


def invalid_argument(error: InvalidArgument) -> InvalidRequest:
    """The same complaint, with the field's place in the request."""
    field = f"arguments.{error.field}" if error.field else "arguments"
    return InvalidRequest(field, error.detail)


def _answer_all(mailbox: deque[Command], error: EngineError) -> None:
    while mailbox:
        mailbox.popleft().on_answer(error.bare())
