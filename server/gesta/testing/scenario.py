"""One example of what an aggregate does: given these events, when this is asked, then that."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from difflib import ndiff
from enum import StrEnum
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from gesta.domain.aggregate import AggregateType, aggregate_type_of
from gesta.domain.call import Call, QueryCall
from gesta.domain.command import Query
from gesta.domain.context import Context
from gesta.domain.decide import Decided, decide
from gesta.domain.rejection import Rejected

R = TypeVar("R")
S = TypeVar("S")


class _NotGiven:
    def __repr__(self) -> str:
        return "anything"


NOT_GIVEN: Final = _NotGiven()

DEFAULT_CONTEXT = Context(
    aggregate_id="aggregate-1",
    version=0,
    now=datetime(2026, 1, 1, tzinfo=UTC),
    principal="anonymous",
    command_id=UUID("01900000-0000-7000-8000-000000000001"),
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as an earlier version of the code stored it: its payload, in plain JSON."""

    event_type: str
    payload: Mapping[str, Any]
    version: int = 1
    """Of the payload's schema."""


def given(
    aggregate: type[S],
    *events: object,
    at: datetime = DEFAULT_CONTEXT.now,
    principal: str = DEFAULT_CONTEXT.principal,
    aggregate_id: str = DEFAULT_CONTEXT.aggregate_id,
    command_id: UUID = DEFAULT_CONTEXT.command_id,
) -> "Scenario[S]":
    """The aggregate after these events. The keywords are what a Context will say; they are fixed.

    The events are encoded and decoded on the way, as stored ones are; a `Stored` one of an older
    version is read through its upcasters, and is one version of the aggregate whatever it becomes.
    Raises TypeError for a class without @aggregate, ForeignEvent for an event it does not have,
    UnreadableEvent for a `Stored` one that it cannot read, HandlerFailed if evolve fails.
    """
    kind = aggregate_type_of(aggregate)
    if kind is None:
        raise TypeError(f"{aggregate!r} is not an @aggregate")
    state = kind.initial
    for event in events:
        for part in _as_read(kind, event):
            state = kind.evolve(state, part)
    context = Context(aggregate_id, len(events), at, principal, command_id)
    return Scenario(kind, state, context)


@dataclass(frozen=True, slots=True)
class Scenario(Generic[S]):
    """An aggregate in some state. Immutable: one may be the start of several examples."""

    aggregate_type: AggregateType
    state: S
    context: Context

    def when(
        self,
        call: Call[S, R],
        *,
        at: datetime | None = None,
        principal: str | None = None,
        command_id: UUID | None = None,
    ) -> "Outcome[S, R]":
        """Decides the command. The keywords replace what the Context says, from here on.

        Raises TypeError for what is no command of this aggregate, InvalidArgument for arguments no
        caller could send, and HandlerFailed for a bug in the aggregate, with its cause. A rejection
        is not raised: see `rejected`.
        """
        context = self.context._replace(
            now=at or self.context.now,
            principal=principal or self.context.principal,
            command_id=command_id or self.context.command_id,
        )
        _check(self.aggregate_type, call, Call, "command")
        command = call.contract
        arguments = command.decode_arguments(call.encode_arguments())
        result: Decided | Rejected
        try:
            result = decide(self.aggregate_type, command, self.state, arguments, context)
        except Rejected as rejected:
            result = rejected
        return Outcome(replace(self, context=context), call, result)

    def reads(self, stored: Stored, *events: object) -> "Scenario[S]":
        """Asserts that a stored event is read as exactly these, in this order, or as none.

        Raises UnreadableEvent if it is not read at all.
        """
        found = _as_read(self.aggregate_type, stored)
        _assert_same(f"{stored!r} is read as other events", events, found)
        return self

    def answers(self, query: QueryCall[S, R] | Query[S, [], R], expected: R) -> "Scenario[S]":
        """Asserts what a query answers: `BankAccount.statement`, or with its arguments.

        Raises TypeError for what is no query of this aggregate.
        """
        call = query() if isinstance(query, Query) else query
        _check(self.aggregate_type, call, QueryCall, "query")
        kind = call.contract
        arguments = kind.decode_arguments(call.encode_arguments())
        found = call.decode_reply(kind.run(self.state, arguments, self.context))
        _assert_same(f"{call!r} answers something else", [expected], [found])
        return self


@dataclass(frozen=True, slots=True)
class Outcome(Generic[S, R]):
    """What a command came to. Nothing is asserted until `then` or `rejected` is called."""

    before: Scenario[S]
    call: Call[S, R]
    result: Decided | Rejected

    def then(
        self, *events: object, reply: R | _NotGiven = NOT_GIVEN, state: S | _NotGiven = NOT_GIVEN
    ) -> Scenario[S]:
        """Asserts exactly these events, in this order, and the reply and state where given."""
        if isinstance(self.result, Rejected):
            raise AssertionError(f"{self.call!r} was rejected: {_said(self.result)}")
        kind = self.before.aggregate_type
        found = _events_of(kind, self.result)
        _assert_same(f"{self.call!r} gave other events", events, found)
        if not isinstance(reply, _NotGiven):
            replied = self.call.decode_reply(self.result.reply)
            _assert_same(f"{self.call!r} replied something else", [reply], [replied])
        if not isinstance(state, _NotGiven):
            _assert_same(f"{self.call!r} led to another state", [state], [self.result.state])
        context = self.before.context
        after = context._replace(version=context.version + len(found))
        return Scenario(kind, self.result.state, after)

    def rejected(self, reason: StrEnum | str, message: str | None = None) -> Scenario[S]:
        """Asserts a rejection for this reason, and with this message if one is given."""
        if isinstance(self.result, Decided):
            events = _events_of(self.before.aggregate_type, self.result)
            raise AssertionError(f"{self.call!r} was not rejected; it gave {events!r}")
        if self.result.reason != str(reason) or message not in (None, self.result.message):
            raise AssertionError(
                f"{self.call!r} was rejected for another reason: {_said(self.result)}, "
                f"not {str(reason) if message is None else f'{reason} ({message})'}"
            )
        return self.before


def _check(
    kind: AggregateType,
    call: object,
    expected: type[Call[Any, Any] | QueryCall[Any, Any]],
    what: str,
) -> None:
    if not isinstance(call, expected):
        raise TypeError(
            f"not a {what}, but {call!r}; write {kind.name}.<{what}>(<arguments>), on the class"
        )
    if call.aggregate_type != kind.name:
        raise TypeError(f"a {what} of {call.aggregate_type}, asked of a {kind.name}")


def _as_read(kind: AggregateType, event: object) -> tuple[Any, ...]:
    if isinstance(event, Stored):
        data = msgspec.json.encode(event.payload)
        return kind.decode_events(event.event_type, event.version, data)
    return (kind.event_type_of(event).encode(event)[1],)


def _events_of(kind: AggregateType, decided: Decided) -> list[Any]:
    return [seen for event in decided.events for seen in kind.decode_events(*event)]


def _said(rejected: Rejected) -> str:
    details = [f"{name}={value!r}" for name, value in rejected.details.items()]
    said = ", ".join([rejected.message] * bool(rejected.message) + details)
    return f"{rejected.reason} ({said})" if said else rejected.reason


def _assert_same(what: str, expected: Iterable[Any], found: Iterable[Any]) -> None:
    wanted, got = list(expected), list(found)
    if wanted != got:
        lines = ndiff([repr(each) for each in wanted], [repr(each) for each in got])
        raise AssertionError(f"{what} (- expected, + found):\n" + "\n".join(lines))
