"""The statement projection: one row for each movement of money.

gesta project run examples.bank.statement:Statements --db bank.db
"""

from typing import Any

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
    Date,
    Integer,
    MetaData,
    String,
    Table,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from gesta.client import Event
from gesta.projection import Projection, on


class Statements(Projection):
    """One row per movement, in hellers: what came in is positive. `kind` is the event's name."""

    name = "statements"

    movements = Table(
        "movements",
        MetaData(),
        Column("account_id", String(256), primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("kind", String(100), nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("booked_on", Date, nullable=False),
        sqlite_with_rowid=False,  # the primary key is the table: an account's rows lie together
    )

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    @on(AccountOpened)
    async def opened(
        self, event: AccountOpened, recorded: Event, connection: AsyncConnection
    ) -> None:
        self._add(recorded, event.initial_deposit, event)

    @on(MoneyDeposited, InterestCredited, RoundingAdjusted)
    async def paid_in(
        self,
        event: MoneyDeposited | InterestCredited | RoundingAdjusted,
        recorded: Event,
        connection: AsyncConnection,
    ) -> None:
        self._add(recorded, event.amount, event)

    @on(MoneyWithdrawn, FeeCharged, SanctionInterestCharged)
    async def paid_out(
        self,
        event: MoneyWithdrawn | FeeCharged | SanctionInterestCharged,
        recorded: Event,
        connection: AsyncConnection,
    ) -> None:
        self._add(recorded, -event.amount, event)

    async def flush(self, connection: AsyncConnection) -> None:
        if self._rows:
            await connection.execute(self.movements.insert(), self._rows)

    def _add(self, recorded: Event, amount: int, event: Any) -> None:
        message = recorded.message
        self._rows.append(
            {
                "account_id": message.aggregate_id,
                "version": message.version,
                "position": message.position,
                "kind": message.event_type,
                "amount": amount,
                "booked_on": event.booked_on,
            }
        )
