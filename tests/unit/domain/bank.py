"""The bank that the tests of this room decide on."""

from dataclasses import dataclass, replace
from enum import StrEnum
from uuid import UUID

from gesta.domain import Context, Decision, Rejected, aggregate, command, event, query
from gesta.domain.aggregate import AggregateType
from gesta.domain.catalog import Catalog
from gesta.testing.scenario import DEFAULT_CONTEXT


class Refusal(StrEnum):
    ACCOUNT_NOT_OPEN = "ACCOUNT_NOT_OPEN"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"


@event("AccountOpened")
class AccountOpened:
    owner: str


@event("MoneyDeposited")
class MoneyDeposited:
    amount: int


@event("MoneyWithdrawn", version=2)
class MoneyWithdrawn:
    amount: int
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    value: int


@aggregate("BankAccount", snapshot_every=50)
class BankAccount:
    """An account at the bank."""

    balance: int = 0
    is_open: bool = False

    def evolve(self, event: AccountOpened | MoneyDeposited | MoneyWithdrawn) -> "BankAccount":
        match event:
            case AccountOpened():
                return replace(self, is_open=True)
            case MoneyDeposited(amount):
                return replace(self, balance=self.balance + amount)
            case MoneyWithdrawn(amount):
                return replace(self, balance=self.balance - amount)

    @command
    def open(self, owner: str) -> Decision[AccountOpened, "BankAccount", Balance]:
        """Opens it; again is no change."""
        if not self.is_open:
            yield AccountOpened(owner)
        return Balance(self.balance)

    @command(rejects=Refusal)
    def deposit(self, amount: int) -> Decision[MoneyDeposited, "BankAccount", Balance]:
        if not self.is_open:
            raise Rejected(Refusal.ACCOUNT_NOT_OPEN, "open it first")
        after = yield MoneyDeposited(amount)
        return Balance(after.balance)

    @command(rejects=Refusal)
    def withdraw(
        self, context: Context, amount: int, reference: str = ""
    ) -> Decision[MoneyWithdrawn, "BankAccount", Balance]:
        if amount > self.balance:
            short = str(amount - self.balance)
            raise Rejected(Refusal.INSUFFICIENT_FUNDS, "too little", short=short)
        after = yield MoneyWithdrawn(amount, reference or context.principal)
        return Balance(after.balance)

    @query
    def statement(self) -> Balance:
        return Balance(self.balance)

    @query
    def overdraft_by(self, context: Context, amount: int) -> tuple[str, int]:
        return context.principal, max(0, amount - self.balance)


BANK: AggregateType = Catalog.of(BankAccount).types["BankAccount"]
OPENED = BankAccount(balance=100, is_open=True)
CONTEXT = DEFAULT_CONTEXT
COMMAND_ID: UUID = CONTEXT.command_id
