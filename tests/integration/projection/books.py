"""Bookings with two sides, and a projection that would show any event lost or doubled."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.client import Client, Event, NewEvent
from gesta.domain import event
from gesta.projection import Projection, on, upsert

POISON = 13
"""An amount that the handler cannot bear."""
SPOILT = 17
"""An amount that only `flush` cannot bear."""


@event("Booked")
class Booked:
    amount: int
    note: str = ""


class Books(Projection):
    """Balances add up what they are told, so a double shows; the journal has a row per event."""

    name = "books"

    metadata = MetaData()
    balances = Table(
        "balances",
        metadata,
        Column("account", String(50), primary_key=True),
        Column("balance", BigInteger, nullable=False),
        Column("bookings", BigInteger, nullable=False),
    )
    journal = Table(
        "journal",
        metadata,
        Column("position", BigInteger, primary_key=True, autoincrement=False),
        Column("account", String(50), nullable=False, index=True),
        Column("amount", BigInteger, nullable=False),
        Index("journal_by_amount", "amount"),
    )

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        if event.amount == POISON:
            raise ValueError("thirteen")
        insert = upsert(connection, self.balances)
        there = self.balances.c
        values = {"account": recorded.aggregate_id, "balance": event.amount, "bookings": 1}
        await connection.execute(
            insert.values(values).on_conflict_do_update(
                index_elements=[there.account],
                set_={"balance": there.balance + event.amount, "bookings": there.bookings + 1},
            )
        )
        self._rows.append(
            {
                "position": recorded.position,
                "account": recorded.aggregate_id,
                "amount": event.amount,
            }
        )

    async def flush(self, connection: AsyncConnection) -> None:
        if any(row["amount"] == SPOILT for row in self._rows):
            raise ValueError("seventeen")
        if self._rows:
            await connection.execute(self.journal.insert(), self._rows)


def booking(account: str, amount: int, note: str = "") -> NewEvent:
    return NewEvent.of("Account", account, Booked(amount, note))


async def book(client: Client, *amounts: int, account: str = "a") -> int:
    """A command for each amount; the last position."""
    position = 0
    for amount in amounts:
        position = (await client.append([booking(account, amount)])).position
    return position


async def transfer(client: Client, number: int, note: str = "") -> None:
    """One command, two events: what one account gets, the other gives."""
    giver, taker, amount = f"a{number % 7}", f"b{number % 5}", 100 + number
    await client.append([booking(giver, -amount, note), booking(taker, amount, note)])


async def transfers(client: Client, count: int, in_a_command: int = 100, note: str = "") -> None:
    """Many, in commands of many pairs."""
    for first in range(0, count, in_a_command):
        pairs = [
            booking(account, sign * (100 + number), note)
            for number in range(first, min(first + in_a_command, count))
            for account, sign in ((f"a{number % 7}", -1), (f"b{number % 5}", 1))
        ]
        await client.append(pairs)


Rows = tuple[Mapping[str, tuple[int, int]], list[tuple[int, str, int]]]


async def rows_of(engine: AsyncEngine, projection: type[Books] = Books) -> Rows:
    """All rows of both tables, in one transaction."""
    async with engine.connect() as connection:
        balances = (await connection.execute(select(projection.balances))).all()
        journal = await connection.execute(
            select(projection.journal).order_by(projection.journal.c.position)
        )
        return {row[0]: (row[1], row[2]) for row in balances}, [tuple(row) for row in journal.all()]


async def rows_by_log(client: Client, leave_out: frozenset[int] = frozenset()) -> Rows:
    """What the rows must be, by the log itself and code that shares nothing with projections."""
    return folded(
        [
            (each.position, each.aggregate_id, each.payload["amount"])
            async for each in client.read()
            if each.event_type == "Booked" and each.position not in leave_out
        ]
    )


def folded(journal: list[tuple[int, str, int]]) -> Rows:
    """Such a journal, and the balances that follow from it."""
    balances: dict[str, tuple[int, int]] = {}
    for _, account, amount in journal:
        balance, bookings = balances.get(account, (0, 0))
        balances[account] = (balance + amount, bookings + 1)
    return balances, journal
