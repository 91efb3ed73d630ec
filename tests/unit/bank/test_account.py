"""The bank account's rules, each as an example."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest
from examples.bank import (
    AccountClosed,
    AccountOpened,
    Balance,
    BankAccount,
    FeeCharged,
    InterestCredited,
    MoneyDeposited,
    MoneyWithdrawn,
    Refusal,
    RoundingAdjusted,
    SanctionInterestCharged,
    Statement,
)

from gesta.domain import Call
from gesta.testing import Scenario, given

DAY = date(1993, 10, 2)
LATER = date(1993, 10, 6)
DEFAULT_DAY = date(2026, 1, 1)  # of the context that `given` makes

Movement = Callable[[int], Call[BankAccount, Balance]]
MOVEMENTS: list[Movement] = [
    BankAccount.deposit,
    BankAccount.withdraw,
    BankAccount.credit_interest,
    BankAccount.charge_fee,
    BankAccount.charge_sanction_interest,
]


def opened(deposit: int = 0, overdraft_limit: int = 0) -> Scenario[BankAccount]:
    return given(BankAccount, AccountOpened(deposit, overdraft_limit, DAY))


def test_an_account_opens_with_its_first_deposit() -> None:
    given(BankAccount).when(BankAccount.open(800, overdraft_limit=50, booked_on=DAY)).then(
        AccountOpened(800, 50, DAY),
        reply=Balance(800),
        state=BankAccount(800, True, 50, DAY, 1),
    )


def test_an_account_may_open_empty() -> None:
    given(BankAccount).when(BankAccount.open(0)).then(
        AccountOpened(0, 0, DEFAULT_DAY), reply=Balance(0)
    )


@pytest.mark.parametrize("call", [BankAccount.open(-1), BankAccount.open(1, overdraft_limit=-1)])
def test_an_account_opens_with_nothing_negative(call: Call[BankAccount, Balance]) -> None:
    given(BankAccount).when(call).rejected(Refusal.AMOUNT_NOT_POSITIVE)


def test_an_account_opens_once() -> None:
    opened(5).when(BankAccount.open(0)).rejected(Refusal.ACCOUNT_ALREADY_OPEN)


def test_a_closed_account_stays_closed() -> None:
    closed = given(BankAccount, AccountOpened(0, 0, DAY), AccountClosed())
    closed.when(BankAccount.open(0)).rejected(
        Refusal.ACCOUNT_NOT_OPEN, "a closed account stays closed"
    )
    closed.when(BankAccount.deposit(5)).rejected(Refusal.ACCOUNT_NOT_OPEN)
    closed.when(BankAccount.close()).rejected(Refusal.ACCOUNT_NOT_OPEN)


@pytest.mark.parametrize("movement", [*MOVEMENTS, BankAccount.adjust_rounding])
def test_nothing_moves_on_an_account_that_was_never_opened(
    movement: Movement,
) -> None:
    given(BankAccount).when(movement(5)).rejected(Refusal.ACCOUNT_NOT_OPEN)


def test_a_deposit_adds_and_a_withdrawal_takes() -> None:
    (
        opened(100)
        .when(BankAccount.deposit(30, booked_on=DAY))
        .then(MoneyDeposited(30, DAY), reply=Balance(130))
        .when(BankAccount.withdraw(130, booked_on=LATER))
        .then(MoneyWithdrawn(130, LATER), reply=Balance(0))
        .answers(BankAccount.statement(), Statement(0, 0, 3, LATER))
    )


@pytest.mark.parametrize("movement", MOVEMENTS)
@pytest.mark.parametrize("amount", [0, -1])
def test_an_amount_is_positive(movement: Movement, amount: int) -> None:
    opened(100).when(movement(amount)).rejected(Refusal.AMOUNT_NOT_POSITIVE)


def test_a_withdrawal_stops_at_the_overdraft_limit() -> None:
    account = opened(100, overdraft_limit=50)
    account.when(BankAccount.withdraw(151)).rejected(Refusal.INSUFFICIENT_FUNDS)
    account.when(BankAccount.withdraw(150, booked_on=DAY)).then(
        MoneyWithdrawn(150, DAY), reply=Balance(-50)
    )


def test_a_withdrawal_refused_for_funds_says_what_is_available() -> None:
    refused = opened(100, overdraft_limit=50).when(BankAccount.withdraw(151)).result
    assert getattr(refused, "details", None) == {"available": "150"}


def test_interest_is_credited_below_zero_too() -> None:
    (
        opened(overdraft_limit=50)
        .when(BankAccount.withdraw(50, booked_on=DAY))
        .then(MoneyWithdrawn(50, DAY))
        .when(BankAccount.credit_interest(20, booked_on=LATER))
        .then(InterestCredited(20, LATER), reply=Balance(-30))
    )


def test_fees_and_sanction_interest_are_charged_whatever_the_balance() -> None:
    (
        opened(10)
        .when(BankAccount.charge_fee(15, booked_on=DAY))
        .then(FeeCharged(15, DAY), reply=Balance(-5))
        .when(BankAccount.charge_sanction_interest(5, booked_on=LATER))
        .then(SanctionInterestCharged(5, LATER), reply=Balance(-10))
        .answers(BankAccount.statement(), Statement(-10, -10, 3, LATER))
    )


@pytest.mark.parametrize("amount", [10, -10])
def test_a_rounding_adjustment_moves_the_balance_and_is_no_transaction(amount: int) -> None:
    (
        opened()
        .when(BankAccount.adjust_rounding(amount, booked_on=LATER))
        .then(
            RoundingAdjusted(amount, LATER),
            reply=Balance(amount),
            state=BankAccount(amount, True, 0, LATER, 1),
        )
    )


def test_a_movement_without_a_day_is_booked_on_the_day_of_the_command() -> None:
    midnight = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)
    opened().when(BankAccount.deposit(5), at=midnight).then(MoneyDeposited(5, midnight.date()))


def test_an_account_closes_only_when_it_is_empty() -> None:
    opened(1).when(BankAccount.close()).rejected(Refusal.BALANCE_NOT_ZERO)
    opened(0).when(BankAccount.close()).then(
        AccountClosed(), reply=None, state=BankAccount(0, False, 0, DAY, 1)
    )
