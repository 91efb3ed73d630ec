"""The demo's load: many callers at once who open accounts, pay in and draw out.

What is asked follows from a fixed seed and is the same in every run; only the order in which
callers meet on an account differs.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random

from examples.bank.account import BankAccount
from examples.bank.terms import Balance

from gesta.client import Client, Refused, connect
from gesta.domain import Call

ACCOUNTS_MAX = 1_000
CONNECTIONS = 4
CALLERS = 256  # over all connections; each waits for its answer before it asks again
OPENING_MAX_HELLERS = 1_000_00
MOVEMENT_MAX_HELLERS = 500_00
YEAR_BEGINS = date(2025, 1, 1)  # the load plays a year, so that accounts differ in their last day
SEED = 20_261_123

Request = tuple[str, Call[BankAccount, Balance]]


@dataclass(slots=True)
class Load:
    """So many commands, what became of them, and how long each one took."""

    commands: int
    seconds: float = 0.0
    accepted: int = 0
    refused: int = 0
    latencies_s: list[float] = field(default_factory=list[float])

    @property
    def account_ids(self) -> list[str]:
        """One command at least goes to each."""
        return [f"account-{number:04}" for number in range(min(ACCOUNTS_MAX, self.commands))]

    @property
    def answered(self) -> int:
        return self.accepted + self.refused

    def latency_ms(self, share: float) -> float:
        """The time that this share of the commands, 0 to 1, did not exceed."""
        ordered = sorted(self.latencies_s)
        return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    async def run(self, address: str) -> None:
        """Returns when all is answered. Raises the client's errors in a group, but no refusal."""
        async with AsyncExitStack() as stack:
            clients = [
                await stack.enter_async_context(connect(address)) for _ in range(CONNECTIONS)
            ]
            began = time.perf_counter()
            await self._ask(clients, self._openings())  # every account, before any is moved
            await self._ask(clients, self._movements())
            self.seconds = time.perf_counter() - began

    async def _ask(self, clients: list[Client], requests: Iterator[Request]) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(CALLERS):
                group.create_task(self._caller(clients[number % CONNECTIONS], requests))

    async def _caller(self, client: Client, requests: Iterator[Request]) -> None:
        for account_id, call in requests:  # shared: whoever is free takes the next
            began = time.perf_counter()
            try:
                await client.aggregate(BankAccount, account_id).execute(call)
                self.accepted += 1
            except Refused:
                self.refused += 1
            self.latencies_s.append(time.perf_counter() - began)

    def _openings(self) -> Iterator[Request]:
        random = Random(SEED)
        for account_id in self.account_ids:
            deposit = random.randint(0, OPENING_MAX_HELLERS)
            yield account_id, BankAccount.open(deposit, booked_on=YEAR_BEGINS)

    def _movements(self) -> Iterator[Request]:
        random = Random(SEED + 1)
        ids = self.account_ids
        for number in range(self.commands - len(ids)):
            movement = random.choice((BankAccount.deposit, BankAccount.withdraw))
            amount = random.randint(1, MOVEMENT_MAX_HELLERS)
            day = YEAR_BEGINS + timedelta(days=365 * number // self.commands)
            yield random.choice(ids), movement(amount, booked_on=day)
