"""The bank under load: opening accounts and paying in, so that every byte written is known."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import aclosing
from datetime import date
from itertools import count
from time import monotonic_ns

import msgspec
from examples.bank import BankAccount
from tests.history.checker import check
from tests.history.history import History
from tests.history.log import LoggedEvent, logged

from benchmarks.record import NEW, Base, Kind, Record, in_order
from gesta.client import Client, GestaError

DAY = date(2026, 1, 1)
"""Every movement is booked on it: a day left out would be today's, and what is stored unknown."""
OPENED = Kind(
    "AccountOpened", b'{"initial_deposit":', b',"overdraft_limit":0,"booked_on":"2026-01-01"}'
)
DEPOSITED = Kind("MoneyDeposited", b'{"amount":', b',"booked_on":"2026-01-01"}')
AMOUNTS = 997
"""Different ones in turn, so that one command's event is not another's."""
OPEN_AT_ONCE = 1_000
NEVER = sys.maxsize
VIOLATIONS_SHOWN_MAX = 5


class Accounts:
    """Many accounts, and the record of all that was asked of them. With a `base` they are those of
    a log that was built, which stood there."""

    def __init__(
        self, client: Client, prefix: str, number: int, first: int = 0, base: Base = NEW
    ) -> None:
        self.ids = [f"{prefix}-{n}" for n in range(first, first + number)]
        self._handles = [client.aggregate(BankAccount, each) for each in self.ids]
        self.openings = Record(OPENED, self.ids, base)
        self.deposits = Record(DEPOSITED, self.ids, base)

    async def open(self, callers: int = OPEN_AT_ONCE) -> None:
        """Makes them, so that the measured commands find them."""
        numbers = iter(range(len(self.ids)))

        async def opener() -> None:
            for n in numbers:
                invoked = monotonic_ns()
                done = await self._handles[n].execute(BankAccount.open(1_000, booked_on=DAY))
                self.openings.done(n, 1_000, invoked, done)

        await asyncio.gather(*(opener() for _ in range(callers)))

    async def pay_in(self, callers: int, until_ns: int) -> None:
        """That many callers, each with one command at a time, over the accounts in turn."""
        turns = count()  # shared: whoever is free takes the next
        await asyncio.gather(*(self.caller(turns, until_ns) for _ in range(callers)))

    async def pay_in_once(self, callers: int) -> None:
        """Into every account, by that many callers at once."""
        turns = iter(range(len(self.ids)))
        await asyncio.gather(*(self.caller(turns, NEVER) for _ in range(callers)))

    async def caller(self, turns: Iterator[int], until_ns: int) -> None:
        """One of them; who begins none after that moment. What is refused is recorded, too."""
        handles, record, accounts = self._handles, self.deposits, len(self.ids)
        for turn in turns:
            invoked = monotonic_ns()
            if invoked >= until_ns:
                return
            account, amount = turn % accounts, 1 + turn % AMOUNTS
            try:
                done = await handles[account].execute(BankAccount.deposit(amount, booked_on=DAY))
            except GestaError as error:
                record.failed(account, amount, invoked, error)
            else:
                record.done(account, amount, invoked, done)

    def add_to(self, history: History) -> None:
        self.openings.add_to(history)
        self.deposits.add_to(history)


async def full_log(client: Client, base: Base = NEW) -> list[LoggedEvent]:
    """One full read of all that came on top of the base, as if the log began there."""
    found: list[LoggedEvent] = []
    async with aclosing(client.read(after=base.position).batches()) as batches:
        async for batch in batches:
            found.extend([logged(each.message) for each in batch])
    if not base.position:
        return found
    return [
        each._replace(position=each.position - base.position, version=each.version - base.version)
        for each in found
    ]


async def violations(client: Client, *accounts: Accounts) -> list[str]:
    """Broken promises in what these were told, held against one full read of the log; the first
    few as text, and how many they are. Nothing else may have been written to the log."""
    history = History()
    for each in accounts:
        each.add_to(history)
    return told(history, await full_log(client, accounts[0].deposits.base))


def told(history: History, log: list[LoggedEvent]) -> list[str]:
    """What the checker finds, shortened."""
    found = check(in_order(history), log, balance_after)
    texts = [str(each) for each in found[:VIOLATIONS_SHOWN_MAX]]
    return [*texts, f"{len(found)} in all"] if found else []


def balance_after(before: int, event: LoggedEvent) -> int:
    """An account's figure is its balance."""
    fields = msgspec.json.decode(event.data)
    return before + int(fields["amount"] if "amount" in fields else fields["initial_deposit"])
