"""The code on the page about projections is code that runs."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.repository.pages import ROOT, blocks

from gesta.client import Client, NewEvent
from gesta.projection import reading
from gesta.server.process import Server

PAGE = ROOT / "docs" / "projections.md"


async def test_the_page_s_projection_projects(
    server: Server, client: Client, database: str, engine: AsyncEngine
) -> None:
    page: dict[str, Any] = {"__name__": "page"}
    for block in blocks(PAGE, "python"):
        exec(compile(block, PAGE.name, "exec", dont_inherit=True), page)
    day = "1993-10-02"
    opened = {"initial_deposit": 500, "overdraft_limit": 0, "booked_on": day}
    await client.append(
        [
            NewEvent("BankAccount", "a", "AccountOpened", opened),
            NewEvent("BankAccount", "a", "MoneyDeposited", {"amount": 70, "booked_on": day}),
            NewEvent("BankAccount", "a", "MoneyWithdrawn", {"amount": 3, "booked_on": day}),
        ]
    )
    checkpoint = await page["project"](server.address, database)
    assert (checkpoint.name, checkpoint.position) == ("balances", 3)
    async with reading(engine, page["Balances"]) as connection:
        rows = await connection.execute(select(page["Balances"].balances))
        assert [tuple(row) for row in rows] == [("a", 567)]
