"""What authors and callers write, as mypy --strict and pyright in strict mode must accept it.

Nothing here runs; `make check` reads it. What they must refuse: tests/unit/domain/test_typing.py.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Never, TypeVar, assert_type

from gesta.domain import (
    Call,
    Context,
    Decision,
    Query,
    QueryCall,
    Rejected,
    Upcast,
    aggregate,
    command,
    event,
    query,
    upcast,
)
from gesta.testing import Scenario, Stored, given

R = TypeVar("R")


class Refusal(StrEnum):
    NOT_OPEN = "NOT_OPEN"


@event("MoneyDeposited")
class MoneyDeposited:
    amount: int


@event("AccountOpened", version=2)
class AccountOpened:
    owner: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    value: int


@aggregate("BankAccount", snapshot_every=10)
class BankAccount:
    balance: int = 0
    is_open: bool = False

    def evolve(self, event: AccountOpened | MoneyDeposited) -> "BankAccount":
        match event:
            case AccountOpened():
                return replace(self, is_open=True)
            case MoneyDeposited(amount):
                assert_type(amount, int)
                return replace(self, balance=self.balance + amount)

    @command
    def open(self, context: Context, owner: str) -> Decision[AccountOpened, "BankAccount", None]:
        yield AccountOpened(owner, at=context.now)

    @command(rejects=Refusal)
    def deposit(self, amount: int) -> Decision[MoneyDeposited, "BankAccount", Balance]:
        if not self.is_open:
            raise Rejected(Refusal.NOT_OPEN, "open it first", hint="open")
        after = yield MoneyDeposited(amount)
        assert_type(after, BankAccount)
        return Balance(after.balance)

    @command(rejects=Refusal)
    def start(
        self, context: Context, owner: str, amount: int = 1
    ) -> Decision[AccountOpened | MoneyDeposited, "BankAccount", Balance]:
        yield from self.open(context, owner)
        return (yield from self.deposit(amount=amount))

    @command
    def touch(self) -> Decision[Never, "BankAccount", int]:
        yield from ()
        return self.balance

    @query
    def statement(self) -> Balance:
        return Balance(self.balance)

    @query
    def page(self, context: Context, rows: int, after: str = "") -> tuple[str, int]:
        return context.principal, rows


@upcast("AccountOpened", from_version=1)
def name_the_owner(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"owner": old["name"]}]


@upcast("Transferred", from_version=1, into={"MoneyDeposited": 1, "AccountOpened": 1})
def split(old: dict[str, Any]) -> list[Upcast]:
    return [Upcast("AccountOpened", {"name": ""}), Upcast("MoneyDeposited", old)]


@upcast("Noise", from_version=1, into={})
def drop(old: dict[str, object]) -> tuple[Never, ...]:
    return ()


@upcast("Mixed", from_version=2, into={"MoneyDeposited": 1, "Mixed": 3})
@upcast("Mixed", from_version=1, into={"MoneyDeposited": 1, "Mixed": 2})
def keep_and_add(old: dict[str, Any]) -> list[dict[str, Any] | Upcast]:
    return [old, Upcast("MoneyDeposited", {"amount": 1})]


@aggregate("Sparse", snapshot_every=None, snapshot_version=2, upcasters=[drop])
class Sparse:
    def evolve(self, event: MoneyDeposited) -> "Sparse":
        return self


assert_type(drop({}), tuple[Never, ...])


def answer(asked: "QueryCall[Any, R] | Query[Any, [], R]") -> R:
    """A client's query method: takes a query without arguments as it stands, or a call of one."""
    raise NotImplementedError(asked)


account = BankAccount(balance=5, is_open=True)
assert_type(account.balance, int)
assert_type(AccountOpened("Ann").at, datetime | None)

assert_type(BankAccount.deposit(500), Call[BankAccount, Balance])
assert_type(BankAccount.deposit(amount=500), Call[BankAccount, Balance])
assert_type(BankAccount.open("Ann"), Call[BankAccount, None])
assert_type(BankAccount.start("Ann", amount=3), Call[BankAccount, Balance])
assert_type(BankAccount.touch(), Call[BankAccount, int])
assert_type(BankAccount.page(3), QueryCall[BankAccount, tuple[str, int]])
assert_type(BankAccount.deposit(500).decode_reply(b""), Balance)

on_instance: Callable[[int], Generator[MoneyDeposited, BankAccount, Balance]] = account.deposit
assert_type(account.statement(), Balance)

assert_type(answer(BankAccount.statement), Balance)
assert_type(answer(BankAccount.statement()), Balance)
assert_type(answer(BankAccount.page(3, after="x")), tuple[str, int])

scenario = given(BankAccount, AccountOpened("Ann"))
assert_type(scenario, Scenario[BankAccount])
after = scenario.when(BankAccount.deposit(5)).then(MoneyDeposited(5), reply=Balance(5))
assert_type(after, Scenario[BankAccount])
assert_type(after.state, BankAccount)
after.reads(Stored("Transferred", {"amount": 5}, version=1), MoneyDeposited(5))
after.answers(BankAccount.statement(), Balance(5))
