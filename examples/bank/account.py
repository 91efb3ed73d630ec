"""A bank account: its state, how events change it, and the commands that decide on it.

Amounts are hellers (1 CZK = 100 hellers), never floats. Every movement names the day it is booked
on; left out, that is the day of the command. An account is opened once and closed for good, so
that its number never comes to mean somebody else's money.
"""

from dataclasses import replace
from datetime import date

from examples.bank.events import (
    AccountClosed,
    AccountEvent,
    AccountOpened,
    FeeCharged,
    InterestCredited,
    MoneyDeposited,
    MoneyWithdrawn,
    RoundingAdjusted,
    SanctionInterestCharged,
)
from examples.bank.terms import Balance, Hellers, Refusal, Statement

from gesta.domain import Context, Decision, Rejected, aggregate, command, query


@aggregate("BankAccount", snapshot_every=100)
class BankAccount:
    """An account with an overdraft limit."""

    balance: int = 0
    is_open: bool = False
    overdraft_limit: int = 0
    last_activity: date | None = None
    transaction_count: int = 0

    def evolve(self, event: AccountEvent) -> "BankAccount":
        match event:
            case AccountOpened(initial_deposit, overdraft_limit, booked_on):
                opened = replace(self, is_open=True, overdraft_limit=overdraft_limit)
                return opened._moved(initial_deposit, booked_on)
            case MoneyDeposited(amount, booked_on) | InterestCredited(amount, booked_on):
                return self._moved(amount, booked_on)
            case MoneyWithdrawn(amount, booked_on):
                return self._moved(-amount, booked_on)
            case FeeCharged(amount, booked_on) | SanctionInterestCharged(amount, booked_on):
                return self._moved(-amount, booked_on)
            case RoundingAdjusted(amount, booked_on):  # corrects a transaction, is none itself
                return replace(self, balance=self.balance + amount, last_activity=booked_on)
            case AccountClosed():
                return replace(self, is_open=False)

    @command(rejects=Refusal)
    def open(
        self,
        context: Context,
        initial_deposit: Hellers,
        overdraft_limit: Hellers = 0,
        booked_on: date | None = None,
    ) -> Decision[AccountOpened, "BankAccount", Balance]:
        """Opens the account; both amounts may be 0. The opening is its first transaction."""
        if self.is_open:
            raise Rejected(Refusal.ACCOUNT_ALREADY_OPEN)
        if self.last_activity is not None:
            raise Rejected(Refusal.ACCOUNT_NOT_OPEN, "a closed account stays closed")
        if initial_deposit < 0 or overdraft_limit < 0:
            raise Rejected(Refusal.AMOUNT_NOT_POSITIVE)
        day = booked_on or context.now.date()
        after = yield AccountOpened(initial_deposit, overdraft_limit, day)
        return Balance(after.balance)

    @command(rejects=Refusal)
    def deposit(
        self, context: Context, amount: Hellers, booked_on: date | None = None
    ) -> Decision[MoneyDeposited, "BankAccount", Balance]:
        """Pays money in."""
        self._check(amount)
        after = yield MoneyDeposited(amount, booked_on or context.now.date())
        return Balance(after.balance)

    @command(rejects=Refusal)
    def withdraw(
        self, context: Context, amount: Hellers, booked_on: date | None = None
    ) -> Decision[MoneyWithdrawn, "BankAccount", Balance]:
        """Pays money out, down to the overdraft limit below zero."""
        self._check(amount)
        if amount > self._available:
            raise Rejected(Refusal.INSUFFICIENT_FUNDS, available=str(self._available))
        after = yield MoneyWithdrawn(amount, booked_on or context.now.date())
        return Balance(after.balance)

    @command(rejects=Refusal)
    def credit_interest(
        self, context: Context, amount: Hellers, booked_on: date | None = None
    ) -> Decision[InterestCredited, "BankAccount", Balance]:
        """Credits interest, also while the balance is negative."""
        self._check(amount)
        after = yield InterestCredited(amount, booked_on or context.now.date())
        return Balance(after.balance)

    @command(rejects=Refusal)
    def charge_fee(
        self, context: Context, amount: Hellers, booked_on: date | None = None
    ) -> Decision[FeeCharged, "BankAccount", Balance]:
        """Charges a fee, whatever the balance."""
        self._check(amount)
        after = yield FeeCharged(amount, booked_on or context.now.date())
        return Balance(after.balance)

    @command(rejects=Refusal)
    def charge_sanction_interest(
        self, context: Context, amount: Hellers, booked_on: date | None = None
    ) -> Decision[SanctionInterestCharged, "BankAccount", Balance]:
        """Charges penalty interest, whatever the balance."""
        self._check(amount)
        after = yield SanctionInterestCharged(amount, booked_on or context.now.date())
        return Balance(after.balance)

    @command(rejects=Refusal)
    def adjust_rounding(
        self, context: Context, amount: Hellers, booked_on: date | None = None
    ) -> Decision[RoundingAdjusted, "BankAccount", Balance]:
        """Corrects the last transaction by what the bank's finer digits made of it, up or down."""
        self._check_open()
        after = yield RoundingAdjusted(amount, booked_on or context.now.date())
        return Balance(after.balance)

    @command(rejects=Refusal)
    def close(self) -> Decision[AccountClosed, "BankAccount", None]:
        """Closes the account, for good."""
        self._check_open()
        if self.balance != 0:
            raise Rejected(Refusal.BALANCE_NOT_ZERO)
        yield AccountClosed()

    @query
    def statement(self) -> Statement:
        """Returns the account at a glance."""
        return Statement(self.balance, self._available, self.transaction_count, self.last_activity)

    @property
    def _available(self) -> int:
        return self.balance + self.overdraft_limit

    def _check(self, amount: int) -> None:
        self._check_open()
        if amount <= 0:
            raise Rejected(Refusal.AMOUNT_NOT_POSITIVE)

    def _check_open(self) -> None:
        if not self.is_open:
            raise Rejected(Refusal.ACCOUNT_NOT_OPEN)

    def _moved(self, amount: int, booked_on: date) -> "BankAccount":
        return replace(
            self,
            balance=self.balance + amount,
            last_activity=booked_on,
            transaction_count=self.transaction_count + 1,
        )
