"""A method that cannot be a contract is refused, and the error says why."""

from collections.abc import AsyncIterator, Callable, Iterator
from enum import StrEnum
from typing import Any, Never

import pytest
from tests.unit.domain.bank import Refusal
from tests.unit.domain.refused import Happened, NotAnEvent, Other, refusal

from gesta.domain import Context, Decision, Rejected, aggregate, command, query

# The methods stand outside their class on purpose: each is put into one by `with_method`, so that
# what is wrong with it is all there is to read.
# mypy: disable-error-code="name-defined, no-untyped-def, misc, return, return-value"
# ruff: noqa: F821


class Lower(StrEnum):
    TOO_LATE = "too_late"


class Short(StrEnum):
    NO = "NO"


def with_method(method: Any) -> Callable[[], object]:
    """An aggregate with this one command or query, yet to be made."""
    body = {
        "__annotations__": {"count": int},
        "count": 0,
        "evolve": evolve,
        "act": method,
        "__qualname__": "Thing",
        "__module__": __name__,
    }
    return lambda: aggregate("Thing")(type("Thing", (), body))


def evolve(self: Any, event: Happened) -> "Thing":
    return self


def no_annotation(self: Any, amount) -> Decision[Happened, "Thing", None]:
    yield Happened()


def star(self: Any, *amounts: int) -> Decision[Happened, "Thing", None]:
    yield Happened()


def keywords(self: Any, **amounts: int) -> Decision[Happened, "Thing", None]:
    yield Happened()


def positional(self: Any, amount: int, /) -> Decision[Happened, "Thing", None]:
    yield Happened()


def late_context(self: Any, a: int, c: Context) -> Decision[Happened, "Thing", None]:
    yield Happened()


def mutable(self: Any, a: list[int]) -> Decision[Happened, "Thing", None]:
    yield Happened()


def bad_default(self: Any, a: float = float("nan")) -> Decision[Happened, "Thing", None]:
    yield Happened()


def no_yield(self: Any) -> Decision[Happened, "Thing", None]:
    return iter(())


async def asynchronous(self: Any) -> AsyncIterator[Happened]:
    yield Happened()


def no_return(self: Any):
    yield Happened()


def not_a_decision(self: Any) -> Iterator[Happened]:
    yield Happened()


def other_state(self: Any) -> Decision[Happened, int, None]:
    yield Happened()


def not_an_event(self: Any) -> Decision[NotAnEvent, "Thing", None]:
    yield NotAnEvent()


def not_evolved(self: Any) -> Decision[Other, "Thing", None]:
    yield Other()


def bad_reply(self: Any) -> Decision[Happened, "Thing", object]:
    yield Happened()


def unknown_name(self: Any) -> "Decision[Happened, Thing, Nowhere]":
    yield Happened()


@pytest.mark.parametrize(
    ("method", "what"),
    [
        (no_annotation, "annotation is missing"),
        (star, "no *args"),
        (keywords, "no **kwargs"),
        (positional, "drop the '/'"),
        (late_context, "first parameter"),
        (mutable, "mutable"),
        (bad_default, "the default nan"),
        (no_yield, "generator"),
        (asynchronous, "generator"),
        (no_return, "Decision"),
        (not_a_decision, "Decision"),
        (other_state, "receives"),
        (not_an_event, "not an @event"),
        (not_evolved, "evolve does not handle"),
        (bad_reply, "no encoding"),
        (unknown_name, "'Nowhere' is not defined"),
    ],
)
def test_a_signature_that_cannot_be_a_contract_is_refused(method: Any, what: str) -> None:
    method.__name__ = "act"
    error = refusal(with_method(command(method)))
    assert what in error.what
    assert "Thing.act" in error.where


def test_a_query_must_say_what_it_answers() -> None:
    def act(self: Any):
        return 1

    assert "return" in refusal(with_method(query(act))).what


def test_a_query_that_yields_is_refused() -> None:
    def act(self: Any) -> Iterator[int]:
        yield 1

    assert "plain method" in refusal(with_method(query(act))).what


def test_a_command_under_another_name_is_refused() -> None:
    def deposit(self: Any) -> Decision[Never, "Thing", None]:
        yield from ()

    assert "one name" in refusal(with_method(command(deposit))).what


@pytest.mark.parametrize(
    ("rejects", "what"),
    [(Lower, 'write TOO_LATE = "TOO_LATE"'), (Short, "UPPER_SNAKE"), (int, "must be a StrEnum")],
)
def test_reasons_that_could_not_be_sent_are_refused(rejects: Any, what: str) -> None:
    def act(self: Any) -> Decision[Happened, "Thing", None]:
        yield Happened()

    assert what in refusal(with_method(command(rejects=rejects)(act))).what


def test_a_visible_rejection_that_is_not_declared_is_refused() -> None:
    def act(self: Any) -> Decision[Happened, "Thing", None]:
        yield Happened()
        raise Rejected("NOWHERE_DECLARED")

    assert "NOWHERE_DECLARED" in refusal(with_method(command(rejects=Refusal)(act))).what


reason = "A_GLOBAL_OF_THE_NAME_OF_AN_ARGUMENT"


def test_a_reason_only_known_when_it_happens_is_left_for_then() -> None:
    def act(self: Any, reason: str) -> Decision[Happened, "Thing", None]:
        yield Happened()
        raise Rejected(reason)

    assert with_method(command(rejects=Refusal)(act))()


def test_a_rejection_by_a_command_that_declares_none_is_refused() -> None:
    def act(self: Any) -> Decision[Happened, "Thing", None]:
        yield Happened()
        raise Rejected(Refusal.INSUFFICIENT_FUNDS)

    assert "INSUFFICIENT_FUNDS" in refusal(with_method(command(act))).what


def test_commands_of_a_base_class_are_refused() -> None:
    def define() -> object:
        class Base:
            @command
            def act(self) -> Decision[Happened, "Base", None]:
                yield Happened()

        @aggregate("Thing")
        class Thing(Base):
            def evolve(self, event: Happened) -> "Thing":
                return self

        return Thing

    assert "own body" in refusal(define).what


def test_a_command_of_a_class_that_is_no_aggregate_cannot_be_called() -> None:
    class Plain:
        @command
        def act(self) -> Decision[Happened, "Plain", None]:
            yield Happened()

    assert "@aggregate" in refusal(Plain.act).what


def test_a_sound_definition_passes_every_check() -> None:
    def act(self: Any) -> Decision[Happened, "Thing", None]:
        yield Happened()
        raise Rejected(Refusal.INSUFFICIENT_FUNDS)

    made: Any = with_method(command(rejects=Refusal)(act))()
    assert made().count == 0
