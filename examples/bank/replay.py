"""Replays a bank's recorded transactions through the server, and compares every balance.

Accounts run side by side, one account's rows in order. Each command has an id made of its row and
the rule in force, and expects the version that the row before left: replaying the same file into
the same server again changes nothing, and an account that somebody else wrote to is not mixed up
with this one.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from examples.bank.account import BankAccount
from examples.bank.berka import Row
from examples.bank.local_server import local_server
from examples.bank.progress import progress_bar
from examples.bank.terms import Balance
from rich.console import Console

from gesta.client import (
    AggregateNotFound,
    Client,
    Refused,
    VersionConflict,
    command_id_for,
    connect,
)
from gesta.domain import Call

ACCOUNTS_AT_ONCE = 256  # more make it no faster
ROUNDING_MAX_HELLERS = 10  # by how much the bank's finer digits move one printed balance

# The data does not say what overdraft the bank granted. Its lowest balance, over all of the Berka
# data, is -17,030.40 CZK: one limit beyond that lets every recorded withdrawal happen again.
OVERDRAFT_LIMIT_HELLERS = 2_000_000


@dataclass(frozen=True, slots=True)
class Rules:
    """Under which rules to replay."""

    overdraft: bool = True
    rounding: bool = True


class AccountTakenError(Exception):
    """The server has the account already, from something other than this replay."""

    def __init__(self, account_id: str) -> None:
        super().__init__(
            f"account {account_id} holds other transactions already: replay into another server"
        )
        self.account_id = account_id


@dataclass(slots=True)
class AccountReport:
    """What became of an account. The last three are what the server says at the end."""

    account_id: str
    rows: int = 0
    refused: int = 0
    mismatches: int = 0
    balance: int = 0
    transaction_count: int = 0
    last_activity: date | None = None


async def run_replay(
    accounts: Mapping[str, list[Row]], rules: Rules, server: str | None, progress_out: Console
) -> list[AccountReport]:
    """Replays into the named server, or one of its own. Raises as `replay` does; StartError."""
    rows = sum(map(len, accounts.values()))
    with progress_bar(progress_out, "rows", rows) as advance:
        async with AsyncExitStack() as stack:
            if server is None:
                folder = stack.enter_context(TemporaryDirectory(prefix="gesta-replay-"))
                server = await stack.enter_async_context(local_server(Path(folder)))
            client = await stack.enter_async_context(connect(server))
            return await replay(client, accounts, rules, lambda: advance(1))


async def replay(
    client: Client,
    accounts: Mapping[str, list[Row]],
    rules: Rules,
    on_row: Callable[[], object],
) -> list[AccountReport]:
    """Replays all accounts; reports them in the order given. `on_row` is called after each row.

    Raises AccountTakenError, and the client's errors other than a refusal, in an ExceptionGroup.
    """
    turns = asyncio.Semaphore(ACCOUNTS_AT_ONCE)

    async def in_turn(account_id: str, rows: list[Row]) -> AccountReport:
        async with turns:
            return await _Account(client, account_id, rules).replay(rows, on_row)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(in_turn(*account)) for account in accounts.items()]
    return [task.result() for task in tasks]


class _Account:
    """One account on its way through its rows."""

    def __init__(self, client: Client, account_id: str, rules: Rules) -> None:
        self._handle = client.aggregate(BankAccount, account_id)
        self._rules = rules
        self._report = AccountReport(account_id)
        self._version = 0
        self._balance = 0
        self._replayed = False  # the last answer was remembered: this replay has run here before
        self._bank_balance = 0
        self._refused_change = 0  # by how much the bank's balance moved on rows refused here

    async def replay(self, rows: list[Row], on_row: Callable[[], object]) -> AccountReport:
        for row in rows:
            await self._row(row)
            on_row()
        try:
            state = (await self._handle.state()).state
        except AggregateNotFound:  # every row was refused
            return self._report
        self._report.balance = state.balance
        self._report.transaction_count = state.transaction_count
        self._report.last_activity = state.last_activity
        return self._report

    async def _row(self, row: Row) -> None:
        self._report.rows += 1
        before, bank_change = self._balance, row.balance - self._bank_balance
        self._bank_balance = row.balance
        if not await self._execute(row.name, _call(row, self._rules)):
            self._report.refused += 1
            self._refused_change += bank_change
            return
        if self._rules.rounding:
            if row.rounding:
                adjustment = BankAccount.adjust_rounding(row.rounding, booked_on=row.booked_on)
                await self._execute(f"{row.name}/rounding", adjustment)
            matches = self._balance == row.balance - self._refused_change
        else:
            matches = abs(self._balance - before - bank_change) <= ROUNDING_MAX_HELLERS
        self._report.mismatches += not matches

    async def _execute(self, name: str, call: Call[BankAccount, Balance]) -> bool:
        """Whether the bank accepted it."""
        # The rules are part of the id: under other rules it is another replay.
        command_id = command_id_for(f"examples.bank replay {self._rules} {name}")
        try:
            done = await self._handle.execute(
                call, expected_version=self._version, command_id=command_id
            )
        except Refused:
            return False
        except VersionConflict as conflict:
            # Refusals are not remembered for ever: in a replay that repeats one, a row that was
            # refused the first time finds the account at the version where that one ended.
            if self._replayed:
                return False
            raise AccountTakenError(self._report.account_id) from conflict
        self._version, self._balance = done.version, done.reply.balance
        self._replayed = done.replayed
        return True


def _call(row: Row, rules: Rules) -> Call[BankAccount, Balance]:
    if row.command == "OpenAccount":
        limit = OVERDRAFT_LIMIT_HELLERS if rules.overdraft else 0
        return BankAccount.open(row.amount, overdraft_limit=limit, booked_on=row.booked_on)
    return _MOVEMENTS[row.command](row.amount, booked_on=row.booked_on)


_MOVEMENTS = {
    "Deposit": BankAccount.deposit,
    "Withdraw": BankAccount.withdraw,
    "CreditInterest": BankAccount.credit_interest,
    "ChargeFee": BankAccount.charge_fee,
    "ChargeSanctionInterest": BankAccount.charge_sanction_interest,
}
