"""What one decision lets out, and what it does not."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.bank import (
    BANK,
    CONTEXT,
    OPENED,
    Balance,
    BankAccount,
    MoneyDeposited,
    Refusal,
)

from gesta.domain import Decision, Rejected, aggregate, command, event
from gesta.domain.aggregate import AggregateType, aggregate_type_of
from gesta.domain.decide import Decided, DecisionLimits, NewEvent, decide
from gesta.domain.errors import ForeignEvent, HandlerFailed, LimitExceeded, Unserialisable


@event("Noted")
class Noted:
    text: str = ""
    value: float = 0.0


@event("Stranger")
class Stranger:
    pass


closed: list[str] = []


@aggregate("Odd")
class Odd:
    """An aggregate whose commands do what authors should not."""

    count: int = 0

    def evolve(self, event: Noted | Stranger) -> "Odd":
        match event:
            case Noted(text="break"):
                raise ZeroDivisionError(text_of(event))
            case Noted(text="reject"):
                raise Rejected("NOT_FROM_HERE")
            case Noted(text="none"):
                return None  # type: ignore[return-value]
            case Noted():
                return replace(self, count=self.count + 1)
            case Stranger():
                return self

    @command
    def note(self, text: str) -> Decision[Noted, "Odd", int]:
        try:
            after = yield Noted(text)
        finally:
            closed.append(text)
        return after.count

    @command
    def many(self, count: int) -> Decision[Noted, "Odd", None]:
        for _ in range(count):
            yield Noted()

    @command
    def foreign(self) -> Decision[Noted, "Odd", None]:
        yield Stranger()  # type: ignore[misc]

    @command
    def not_a_number(self) -> Decision[Noted, "Odd", None]:
        yield Noted("", float("nan"))

    @command
    def text_for_float(self) -> Decision[Noted, "Odd", None]:
        yield Noted("", "1.5")  # type: ignore[arg-type]

    @command
    def stubborn(self) -> Decision[Noted, "Odd", None]:
        while True:
            try:
                yield Noted("break")
            except GeneratorExit:
                yield Noted()

    @command
    def wrong_reply(self) -> Decision[Noted, "Odd", int]:
        yield Noted()
        return "one"  # type: ignore[return-value]

    @command
    def long_reply(self, chars: int) -> Decision[Noted, "Odd", str]:
        yield from ()
        return "x" * chars

    @command
    def undeclared(self) -> Decision[Noted, "Odd", None]:
        yield Noted()
        reason = "NOT_DECLARED"
        raise Rejected(reason)

    @command
    def stops(self) -> Decision[Noted, "Odd", None]:
        yield from ()
        raise StopIteration

    @command
    def interrupted(self) -> Decision[Noted, "Odd", None]:
        yield Noted()
        raise KeyboardInterrupt

    @command
    def recurs(self) -> Decision[Noted, "Odd", None]:
        yield from self.recurs()


def text_of(noted: Noted) -> str:
    return noted.text


def odd_type() -> AggregateType:
    found = aggregate_type_of(Odd)
    assert found is not None
    return found


def decide_odd(name: str, limits: DecisionLimits | None = None, **arguments: Any) -> Decided:
    kind = odd_type()
    limits = limits or DecisionLimits()
    return decide(kind, kind.commands[name], Odd(), arguments, CONTEXT, limits)


def failure(name: str, **arguments: Any) -> Exception:
    with pytest.raises(HandlerFailed) as caught:
        decide_odd(name, **arguments)
    assert caught.value.__cause__ is caught.value.cause
    return caught.value.cause


def test_a_command_gives_its_events_the_state_after_them_and_its_reply() -> None:
    decided = decide(BANK, BANK.commands["deposit"], OPENED, {"amount": 5}, CONTEXT)
    assert decided.events == (NewEvent("MoneyDeposited", 1, b'{"amount":5}'),)
    assert decided.state == BankAccount(balance=105, is_open=True)
    assert decided.reply == b'{"value":105}'


def test_the_context_reaches_a_command_that_asks_for_it() -> None:
    arguments = {"amount": 5, "reference": ""}
    decided = decide(BANK, BANK.commands["withdraw"], OPENED, arguments, CONTEXT)
    event = NewEvent("MoneyWithdrawn", 2, b'{"amount":5,"reference":"anonymous"}')
    assert decided.events == (event,)


def test_a_command_without_change_gives_no_events() -> None:
    decided = decide(BANK, BANK.commands["open"], OPENED, {"owner": "Ann"}, CONTEXT)
    assert decided == Decided((), OPENED, b'{"value":100}')


def test_a_declared_rejection_is_raised_as_it_is() -> None:
    arguments = {"amount": 101, "reference": ""}
    with pytest.raises(Rejected) as caught:
        decide(BANK, BANK.commands["withdraw"], OPENED, arguments, CONTEXT)
    assert caught.value.reason == Refusal.INSUFFICIENT_FUNDS
    assert caught.value.message == "too little"
    assert caught.value.details == {"short": "1"}


def test_an_undeclared_rejection_is_a_bug() -> None:
    cause = failure("undeclared")
    assert isinstance(cause, Rejected)
    assert cause.reason == "NOT_DECLARED"


def test_evolve_failing_is_a_bug_of_the_handler() -> None:
    assert isinstance(failure("note", text="break"), ZeroDivisionError)


def test_a_rejection_from_evolve_is_a_bug_for_evolve_may_not_refuse() -> None:
    assert isinstance(failure("note", text="reject"), Rejected)


def test_evolve_must_give_a_state() -> None:
    assert isinstance(failure("note", text="none"), TypeError)


def test_the_generator_is_closed_when_a_decision_fails() -> None:
    closed.clear()
    failure("note", text="break")
    assert closed == ["break"]


def test_a_generator_that_swallows_its_closing_is_a_bug() -> None:
    cause = failure("stubborn")
    assert isinstance(cause, RuntimeError)
    assert "GeneratorExit" in str(cause)


def test_an_event_the_command_does_not_declare_is_a_bug() -> None:
    cause = failure("foreign")
    assert isinstance(cause, ForeignEvent)
    assert cause.event_class is Stranger


@pytest.mark.parametrize("name", ["not_a_number", "text_for_float"])
def test_an_event_that_json_would_change_fails_its_command(name: str) -> None:
    cause = failure(name)
    assert isinstance(cause, Unserialisable)
    assert cause.what == "Noted"


def test_a_reply_that_is_not_what_the_signature_says_is_a_bug() -> None:
    assert isinstance(failure("wrong_reply"), Unserialisable)


def test_stop_iteration_from_a_command_is_a_bug_and_not_an_end() -> None:
    assert isinstance(failure("stops"), RuntimeError)


def test_endless_recursion_is_a_bug_of_the_handler() -> None:
    assert isinstance(failure("recurs"), RecursionError)


def test_an_interrupt_passes() -> None:
    with pytest.raises(KeyboardInterrupt):
        decide_odd("interrupted")


def test_a_million_events_meet_the_limit_of_events() -> None:
    with pytest.raises(LimitExceeded) as caught:
        decide_odd("many", count=1_000_000)
    assert (caught.value.limit, caught.value.value) == ("events_per_command", 1_000)


def test_as_many_events_as_the_limit_are_allowed() -> None:
    assert len(decide_odd("many", count=1_000).events) == 1_000


@pytest.mark.parametrize(
    ("enough", "too_little"),
    [
        (DecisionLimits(bytes_per_event=23), DecisionLimits(bytes_per_event=22)),
        (DecisionLimits(bytes_per_command=46), DecisionLimits(bytes_per_command=45)),
    ],
)
def test_bytes_are_limited_per_event_and_per_command(
    enough: DecisionLimits, too_little: DecisionLimits
) -> None:
    events = decide_odd("many", enough, count=2).events
    assert [len(event.data) for event in events] == [23, 23]
    with pytest.raises(LimitExceeded) as caught:
        decide_odd("many", too_little, count=2)
    assert caught.value.value == getattr(too_little, caught.value.limit)


def test_a_reply_is_limited() -> None:
    limits = DecisionLimits(bytes_per_reply=12)
    assert decide_odd("long_reply", limits, chars=10).reply == b'"xxxxxxxxxx"'
    with pytest.raises(LimitExceeded) as caught:
        decide_odd("long_reply", limits, chars=11)
    assert caught.value.limit == "bytes_per_reply"


def test_a_limit_also_closes_the_generator() -> None:
    closed.clear()
    with pytest.raises(LimitExceeded):
        decide_odd("note", DecisionLimits(bytes_per_event=1), text="big")
    assert closed == ["big"]


def test_the_state_that_was_decided_on_stays_as_it_was() -> None:
    state = BankAccount(balance=1, is_open=True)
    decide(BANK, BANK.commands["deposit"], state, {"amount": 5}, CONTEXT)
    assert state == BankAccount(balance=1, is_open=True)


def test_on_an_instance_a_command_is_the_generator_itself() -> None:
    deposit = OPENED.deposit(5)
    assert next(deposit) == MoneyDeposited(5)
    with pytest.raises(StopIteration) as stopped:
        deposit.send(BankAccount(balance=7))
    assert stopped.value.value == Balance(7)
