"""The accounts projection: every account at a glance, in a table that anybody can query.

    gesta project run examples.bank:Accounts --db bank.db

Amounts are hellers. What counts as a transaction, and which day as the last activity, is as in
BankAccount: an opening is the first transaction, a rounding adjustment is none.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

from examples.bank.events import (
    AccountOpened,
    FeeCharged,
    InterestCredited,
    MoneyDeposited,
    MoneyWithdrawn,
    RoundingAdjusted,
    SanctionInterestCharged,
)
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Date,
    Integer,
    MetaData,
    String,
    Table,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.client import Event
from gesta.projection import Projection, on, open_engine, reading, upsert


@dataclass(slots=True)
class _Change:
    """What one transaction does to one account."""

    balance: int = 0
    transaction_count: int = 0
    last_activity: date | None = None


class Accounts(Projection):
    """One row per account. Adds up in memory, and writes each account once a transaction."""

    name = "accounts"

    accounts = Table(
        "accounts",
        MetaData(),
        Column("account_id", String(256), primary_key=True),
        Column("balance", BigInteger, nullable=False),
        Column("transaction_count", Integer, nullable=False),
        Column("last_activity", Date, nullable=False),
    )

    def __init__(self) -> None:
        self._changes: dict[str, _Change] = {}

    @on(AccountOpened)
    async def opened(
        self, event: AccountOpened, recorded: Event, connection: AsyncConnection
    ) -> None:
        self._move(recorded, event.initial_deposit, event.booked_on)

    @on(MoneyDeposited, InterestCredited)
    async def paid_in(
        self,
        event: MoneyDeposited | InterestCredited,
        recorded: Event,
        connection: AsyncConnection,
    ) -> None:
        self._move(recorded, event.amount, event.booked_on)

    @on(MoneyWithdrawn, FeeCharged, SanctionInterestCharged)
    async def paid_out(
        self,
        event: MoneyWithdrawn | FeeCharged | SanctionInterestCharged,
        recorded: Event,
        connection: AsyncConnection,
    ) -> None:
        self._move(recorded, -event.amount, event.booked_on)

    @on(RoundingAdjusted)
    async def adjusted(
        self, event: RoundingAdjusted, recorded: Event, connection: AsyncConnection
    ) -> None:
        self._move(recorded, event.amount, event.booked_on, transactions=0)

    async def flush(self, connection: AsyncConnection) -> None:
        if not self._changes:
            return
        insert = upsert(connection, self.accounts)
        there, new = self.accounts.c, insert.excluded
        statement = insert.on_conflict_do_update(
            index_elements=[there.account_id],
            set_={
                "balance": there.balance + new.balance,
                "transaction_count": there.transaction_count + new.transaction_count,
                "last_activity": new.last_activity,
            },
        )
        await connection.execute(
            statement,
            [
                {
                    "account_id": account_id,
                    "balance": change.balance,
                    "transaction_count": change.transaction_count,
                    "last_activity": change.last_activity,
                }
                for account_id, change in self._changes.items()
            ],
        )

    def _move(self, recorded: Event, amount: int, booked_on: date, transactions: int = 1) -> None:
        account_id = recorded.message.aggregate_id
        change = self._changes.get(account_id)
        if change is None:
            change = self._changes[account_id] = _Change()
        change.balance += amount
        change.transaction_count += transactions
        change.last_activity = booked_on


@dataclass(frozen=True, slots=True)
class Account:
    """A row; `balance` is in hellers."""

    account_id: str
    balance: int
    transaction_count: int
    last_activity: date


class AccountsReader:
    """Asks the read model. It lags behind the log by as much as the projection does.

    Raises gesta.projection's NotProjected where there is no such table, or no such file.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get_account(self, account_id: str) -> Account | None:
        """None for one that was never opened, or is not projected yet."""
        found = await self._select(Accounts.accounts.c.account_id == account_id)
        return found[0] if found else None

    async def get_all_accounts(self) -> list[Account]:
        """By id; shorter ones first, so that numbers are in their order."""
        accounts = await self._select(true())
        return sorted(accounts, key=lambda each: (len(each.account_id), each.account_id))

    async def _select(self, where: ColumnElement[bool]) -> list[Account]:
        async with reading(self._engine, Accounts) as connection:
            rows = await connection.execute(select(Accounts.accounts).where(where))
            return [Account(**row) for row in rows.mappings()]


@asynccontextmanager
async def accounts_in(database: str) -> AsyncGenerator[AccountsReader, None]:
    """Opens the database that the projection writes: a URL, or the path of an SQLite file."""
    engine = open_engine(database)
    try:
        yield AccountsReader(engine)
    finally:
        await engine.dispose()
