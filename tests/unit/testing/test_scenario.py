"""given, when, then: what passes, and what a failure says."""

from datetime import UTC, datetime
from typing import Any, Never

import pytest
from tests.unit.domain.bank import (
    AccountOpened,
    Balance,
    BankAccount,
    MoneyDeposited,
    MoneyWithdrawn,
    Refusal,
)
from tests.unit.domain.test_decide import Noted, Odd
from tests.unit.domain.till import Money, MoneyPaidIn, Payout, Till, TipLeft

from gesta.domain import Decision, Rejected, aggregate, command
from gesta.domain.errors import (
    ForeignEvent,
    HandlerFailed,
    InvalidArgument,
    UnknownEvent,
    UpcastFailed,
)
from gesta.testing import Stored, given

OPEN = given(BankAccount, AccountOpened("Ann"), MoneyDeposited(100))


def said(failure: pytest.ExceptionInfo[AssertionError]) -> str:
    return str(failure.value)


def test_an_example_reads_as_a_sentence_and_chains() -> None:
    (
        OPEN.when(BankAccount.deposit(5))
        .then(MoneyDeposited(5), reply=Balance(105))
        .when(BankAccount.withdraw(6, reference="r"))
        .then(MoneyWithdrawn(6, "r"), state=BankAccount(99, is_open=True))
        .when(BankAccount.withdraw(100))
        .rejected(Refusal.INSUFFICIENT_FUNDS, "too little")
        .answers(BankAccount.statement(), Balance(99))
    )


def test_a_scenario_is_unchanged_by_what_follows_from_it() -> None:
    OPEN.when(BankAccount.deposit(5)).then(MoneyDeposited(5))
    assert OPEN.state == BankAccount(100, is_open=True)
    assert OPEN.context.version == 2


def test_the_context_can_be_set() -> None:
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    start = given(BankAccount, MoneyDeposited(9), principal="ann", aggregate_id="a", at=moment)
    assert (start.context.now, start.context.aggregate_id) == (moment, "a")
    start.when(BankAccount.withdraw(1)).then(MoneyWithdrawn(1, "ann"))
    after = start.when(BankAccount.withdraw(1), principal="bob").then(MoneyWithdrawn(1, "bob"))
    assert (after.context.version, after.context.principal) == (2, "bob")
    after.answers(BankAccount.overdraft_by(10), ("bob", 2))


def test_other_events_fail_with_a_diff() -> None:
    outcome = OPEN.when(BankAccount.deposit(5))
    with pytest.raises(AssertionError) as failure:
        outcome.then(MoneyDeposited(6))
    assert "BankAccount.deposit(amount=5) gave other events" in said(failure)
    assert "- MoneyDeposited(amount=6)" in said(failure)
    assert "+ MoneyDeposited(amount=5)" in said(failure)


def test_no_expected_events_means_none() -> None:
    outcome = OPEN.when(BankAccount.deposit(5))
    with pytest.raises(AssertionError):
        outcome.then()
    OPEN.when(BankAccount.open("Bob")).then(reply=Balance(100))


def test_another_reply_fails() -> None:
    outcome = OPEN.when(BankAccount.deposit(5))
    with pytest.raises(AssertionError) as failure:
        outcome.then(MoneyDeposited(5), reply=Balance(5))
    assert "- Balance(value=5)" in said(failure)


def test_another_state_fails() -> None:
    outcome = OPEN.when(BankAccount.deposit(5))
    with pytest.raises(AssertionError, match="another state"):
        outcome.then(MoneyDeposited(5), state=BankAccount(1))


def test_another_answer_fails() -> None:
    with pytest.raises(AssertionError, match="answers something else"):
        OPEN.answers(BankAccount.statement(), Balance(1))


def test_an_unexpected_rejection_fails_with_its_reason() -> None:
    outcome = OPEN.when(BankAccount.withdraw(101))
    with pytest.raises(AssertionError) as failure:
        outcome.then(MoneyWithdrawn(101))
    assert "INSUFFICIENT_FUNDS (too little, short='1')" in said(failure)


def test_a_rejection_without_a_message_is_told_without_one() -> None:
    @aggregate("Door")
    class Door:
        def evolve(self, event: MoneyDeposited) -> "Door":
            return self

        @command(rejects=Refusal)
        def knock(self) -> Decision[Never, "Door", None]:
            yield from ()
            raise Rejected(Refusal.ACCOUNT_NOT_OPEN)

    with pytest.raises(AssertionError) as failure:
        given(Door).when(Door.knock()).rejected(Refusal.INSUFFICIENT_FUNDS)
    assert said(failure).endswith("another reason: ACCOUNT_NOT_OPEN, not INSUFFICIENT_FUNDS")


def test_a_missing_rejection_fails_with_the_events() -> None:
    outcome = OPEN.when(BankAccount.deposit(5))
    with pytest.raises(AssertionError, match="MoneyDeposited"):
        outcome.rejected(Refusal.ACCOUNT_NOT_OPEN)


@pytest.mark.parametrize(
    ("reason", "message"),
    [(Refusal.ACCOUNT_NOT_OPEN, None), (Refusal.INSUFFICIENT_FUNDS, "too much")],
)
def test_another_reason_or_message_fails(reason: Refusal, message: str | None) -> None:
    outcome = OPEN.when(BankAccount.withdraw(101))
    with pytest.raises(AssertionError, match="another reason"):
        outcome.rejected(reason, message)


def test_a_bug_is_raised_and_not_taken_for_an_outcome() -> None:
    with pytest.raises(HandlerFailed):
        given(Odd).when(Odd.note("break"))


def test_arguments_that_no_caller_could_send_are_refused() -> None:
    with pytest.raises(InvalidArgument):
        OPEN.when(BankAccount.deposit(2**63))


def test_an_event_of_another_aggregate_cannot_be_given() -> None:
    with pytest.raises(ForeignEvent):
        given(BankAccount, Noted())


def test_a_class_that_is_no_aggregate_cannot_be_given() -> None:
    with pytest.raises(TypeError, match="not an @aggregate"):
        given(Balance)


def test_the_class_of_an_event_cannot_be_given() -> None:
    with pytest.raises(
        ForeignEvent, match=r"AccountOpened is a class.*write AccountOpened\(\.\.\.\)"
    ):
        given(BankAccount, AccountOpened)


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (BankAccount.deposit, r"not a command, but .*; write BankAccount.<command>"),
        (BankAccount().deposit(5), "not a command"),
        (BankAccount.statement(), r"not a command, but BankAccount\.statement"),
        (Odd.note("break"), "a command of Odd, asked of a BankAccount"),
    ],
)
def test_what_is_no_command_of_the_aggregate_is_refused(call: Any, told: str) -> None:
    with pytest.raises(TypeError, match=told):
        OPEN.when(call)


def test_a_query_without_arguments_need_not_be_called() -> None:
    OPEN.answers(BankAccount.statement, Balance(100))


def test_what_is_no_query_of_the_aggregate_is_refused() -> None:
    command: Any = BankAccount.deposit(5)
    with pytest.raises(TypeError, match=r"not a query, but BankAccount\.deposit"):
        OPEN.answers(command, 5)


def test_an_event_of_an_earlier_version_can_be_given_as_it_was_stored() -> None:
    moved = Stored("MoneyMoved", {"amount": -5, "tip": 1}, version=2)
    start = given(Till, MoneyPaidIn(Money(9)), moved, Stored("Counted", {}))
    assert start.state == Till(4, 1, ("+9", "-5", "tip"))
    assert start.context.version == 3


def test_what_a_stored_event_is_read_as_can_be_asserted() -> None:
    start = given(Till)
    again = start.reads(Stored("MoneyMoved", {"amt": "5"}), MoneyPaidIn(Money(5)))
    assert again.reads(Stored("Counted", {"coins": 1})) is start
    with pytest.raises(AssertionError) as failure:
        start.reads(Stored("MoneyMoved", {"amount": -5, "tip": 1}, version=2), Payout(Money(5)))
    assert "is read as other events" in said(failure)
    assert f"+ {TipLeft(1)!r}" in said(failure)


def test_a_stored_event_that_cannot_be_read_is_raised() -> None:
    with pytest.raises(UnknownEvent):
        given(Till, Stored("MoneyMoved", {}, version=9))
    with pytest.raises(UpcastFailed):
        given(Till).reads(Stored("MoneyMoved", {}))
