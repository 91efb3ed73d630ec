"""The bank's projections: what the accounts themselves say, and what the bank's own books say."""

import asyncio
import csv
import os
import sys
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from examples.bank import Accounts, BankAccount
from examples.bank.accounts import Account, accounts_in
from examples.bank.berka import czk
from examples.bank.local_server import ROOT
from examples.bank.statement import Statements
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from gesta.client import Client, connect
from gesta.domain.catalog import Catalog
from gesta.projection import NotProjected, Runner, reading
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server

DATA = Path(os.environ.get("GESTA_BERKA", ROOT / ".." / "shared" / "data" / "berka"))
SLICE = DATA / "slice.csv.gz"
DAY, LATER = date(1993, 10, 2), date(1993, 10, 6)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    config = Config(data=MEMORY, listen="127.0.0.1:0")
    async with Server(config, catalog=Catalog.of(BankAccount)) as running:
        yield running


async def test_every_kind_of_movement_is_in_the_accounts_as_the_accounts_have_it(
    client: Client, database: str
) -> None:
    account = client.aggregate(BankAccount, "a-1")
    for call in (
        BankAccount.open(1_000, booked_on=DAY),
        BankAccount.deposit(500, booked_on=DAY),
        BankAccount.withdraw(300, booked_on=DAY),
        BankAccount.credit_interest(20, booked_on=DAY),
        BankAccount.charge_fee(15, booked_on=DAY),
        BankAccount.charge_sanction_interest(5, booked_on=DAY),
        BankAccount.adjust_rounding(-10, booked_on=LATER),
    ):
        await account.execute(call)
    await client.aggregate(BankAccount, "a-2").execute(BankAccount.open(0, booked_on=DAY))
    await client.aggregate(BankAccount, "a-2").execute(BankAccount.close())
    state = (await account.state()).state
    async with Runner(client, Accounts, database) as runner:
        await runner.run_once()
    async with accounts_in(database) as accounts:
        first = await accounts.get_account("a-1")
        assert first == Account("a-1", state.balance, state.transaction_count, LATER)
        assert first == Account("a-1", 1_190, 6, LATER)
        assert await accounts.get_account("a-2") == Account("a-2", 0, 1, DAY)
        assert await accounts.get_account("a-3") is None
        assert [each.account_id for each in await accounts.get_all_accounts()] == ["a-1", "a-2"]


async def test_a_statement_has_a_row_for_every_movement(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    account = client.aggregate(BankAccount, "a-1")
    for call in (
        BankAccount.open(1_000, booked_on=DAY),
        BankAccount.withdraw(300, booked_on=LATER),
        BankAccount.adjust_rounding(-700, booked_on=LATER),
        BankAccount.close(),
    ):
        await account.execute(call)
    async with Runner(client, Statements, database) as runner:
        await runner.run_once()
    table = Statements.movements
    async with reading(engine, Statements) as connection:
        rows = await connection.execute(
            select(table.c.version, table.c.kind, table.c.amount, table.c.booked_on)
            .where(table.c.account_id == "a-1")
            .order_by(table.c.version)
        )
        assert [tuple(row) for row in rows] == [
            (1, "AccountOpened", 1_000, DAY),
            (2, "MoneyWithdrawn", -300, LATER),
            (3, "RoundingAdjusted", -700, LATER),
        ]


async def test_accounts_that_nobody_has_projected_are_told_apart_from_none(database: str) -> None:
    async with accounts_in(database) as accounts:
        with pytest.raises(NotProjected, match="there is no"):
            await accounts.get_all_accounts()


@pytest.mark.slow
@pytest.mark.skipif(not SLICE.exists(), reason=f"the Berka slice is not in {DATA}")
async def test_both_projections_of_the_slice_close_with_the_bank_s_own_books(
    server: Server, database: str, engine: AsyncEngine
) -> None:
    code, _, said = await bank("replay", str(SLICE), "--server", server.address)
    assert code == 0, said
    async with connect(server.address) as client:
        for projection in (Accounts, Statements):
            async with Runner(client, projection, database) as runner:
                await runner.run_once()
                served = await all_rows(engine, projection)
                await runner.rebuild()
                assert await all_rows(engine, projection) == served
    expected = books()
    assert len(expected) == 282
    async with accounts_in(database) as accounts:
        found = await accounts.get_all_accounts()
    assert expected == {each.account_id: _figures(each) for each in found}
    by_statement: dict[str, int] = {}
    async with reading(engine, Statements) as connection:
        rows = await connection.execute(
            select(Statements.movements.c.account_id, Statements.movements.c.amount)
        )
        for account_id, amount in rows:
            by_statement[account_id] = by_statement.get(account_id, 0) + amount
    assert {a: balance for a, (balance, _, _) in expected.items()} == {
        a: czk(balance) for a, balance in by_statement.items()
    }
    code, out, said = await bank("accounts", "--db", database)
    assert (code, said) == (0, "")
    assert out.splitlines()[1].split() == ["15", "47978.10", "23", "1994-03-21"]
    assert len(out.splitlines()) == 283


async def test_without_a_database_the_command_says_so() -> None:
    code, out, said = await bank("accounts", "--db", "/nowhere/at/all.db")
    assert (code, out) == (2, "")
    assert "there is no file /nowhere/at/all.db" in said
    assert "Traceback" not in said


def books() -> dict[str, tuple[str, int, str]]:
    with (DATA / "slice_expected.csv").open(encoding="utf-8") as lines:
        return {
            row["account_id"]: (
                row["final_balance"],
                int(row["transaction_count"]),
                row["last_activity"],
            )
            for row in csv.DictReader(lines)
        }


def _figures(account: Account) -> tuple[str, int, str]:
    return czk(account.balance), account.transaction_count, str(account.last_activity)


async def all_rows(
    engine: AsyncEngine, projection: type[Accounts] | type[Statements]
) -> list[tuple[object, ...]]:
    table = Accounts.accounts if projection is Accounts else Statements.movements
    async with reading(engine, projection) as connection:
        return sorted(tuple(row) for row in await connection.execute(select(table)))


async def bank(*words: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.bank", *words),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()
