"""Commands at a given rate, whatever the answers: a caller that is late does not ask less."""

import asyncio
import time
from typing import Any

from examples.bank import BankAccount

from benchmarks.bank import AMOUNTS, DAY, Accounts, violations
from gesta.client import Client, GestaError, connect

TICK_S = 0.001


class Pace:
    """So many turns a second, in order, as time passes. Turns that are late are given at once."""

    def __init__(self, per_second: float, seconds: float) -> None:
        self._per_second = per_second
        self._turns = int(per_second * seconds)
        self.begun = 0.0
        self.lag_s = 0.0
        """How late the latest turn was: if it grows, the rate was not offered."""

    def __aiter__(self) -> "Pace":
        self.begun = time.perf_counter()
        self._next = 0
        return self

    async def __anext__(self) -> int:
        turn, self._next = self._next, self._next + 1
        if turn >= self._turns:
            raise StopAsyncIteration
        due = self.begun + turn / self._per_second
        now = time.perf_counter()
        if now < due:
            await asyncio.sleep(max(due - now, TICK_S))
        elif turn % 64 == 0:
            await asyncio.sleep(0)  # answers must be taken, too
        self.lag_s = max(self.lag_s, time.perf_counter() - due - TICK_S)
        return turn


async def measure(address: str, accounts: int, per_second: float, seconds: float) -> dict[str, Any]:
    """Deposits at that rate, and whether the server kept its word about them."""
    async with connect(address) as client:
        load = Accounts(client, "account", accounts)
        await load.open()
        pace = Pace(per_second, seconds)
        begin = time.monotonic_ns()
        async with asyncio.TaskGroup() as group:
            async for turn in pace:
                group.create_task(pay_in(load, client, turn))
        broken = await violations(client, load)
    return load.deposits.figures(begin, time.monotonic_ns()) | {
        "lag_ms": 1e3 * pace.lag_s,
        "violations": broken,
    }


async def pay_in(load: Accounts, client: Client, turn: int) -> None:
    """One deposit. What becomes of it is recorded."""
    account, amount = turn % len(load.ids), 1 + turn % AMOUNTS
    handle = client.aggregate(BankAccount, load.ids[account])
    invoked = time.monotonic_ns()
    try:
        done = await handle.execute(BankAccount.deposit(amount, booked_on=DAY))
    except GestaError as error:
        load.deposits.failed(account, amount, invoked, error)
    else:
        load.deposits.done(account, amount, invoked, done)
