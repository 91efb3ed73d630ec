"""Three times what the server can do, offered for a while: most is refused, and soon."""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from examples.bank import BankAccount

from benchmarks.bank import AMOUNTS, DAY, Accounts, violations
from benchmarks.record import share_of
from benchmarks.workloads.paced import Pace
from gesta.client import Client, Overloaded, RetryPolicy, connect

ACCOUNTS = 10_000
CONNECTIONS = 8
"""One has 4,096 commands under way at most, and keeps the others to itself."""
PEAK_CALLERS = 1_024
TIMES = 3
ONCE = RetryPolicy(attempts_max=1)


async def measure(address: str, seconds: float) -> dict[str, Any]:
    """The peak before; then what was accepted of three times that, and how soon the rest knew."""
    async with AsyncExitStack() as stack:
        opener = await stack.enter_async_context(connect(address))
        clients = [
            await stack.enter_async_context(connect(address, retry=ONCE))
            for _ in range(CONNECTIONS)
        ]
        load = Accounts(opener, "account", ACCOUNTS)
        await load.open()
        begin = time.monotonic_ns()
        end = begin + int(seconds * 1e9)
        await load.pay_in(PEAK_CALLERS, end)
        peak = load.deposits.figures(begin, end)["per_second"]
        flood = _Flood(load, clients)
        offered = await flood.run(TIMES * peak, seconds)
        broken = await violations(opener, load)
    return {
        "peak": peak,
        "offered": offered,
        "accepted": flood.accepted(),
        "refused_p99_ms": 1e3 * share_of(sorted(flood.refusals), 0.99),
        "refused": len(flood.refusals),
        "without_advice": flood.without_advice,
        "violations": broken,
    }


class _Flood:
    def __init__(self, load: Accounts, clients: list[Client]) -> None:
        self._load, self._clients = load, clients
        self._begin = self._end = 0
        self.refusals: list[float] = []
        """Seconds until each was told."""
        self.without_advice = 0

    async def run(self, per_second: float, seconds: float) -> float:
        """What was offered a second; returns when everything is answered."""
        self._begin = time.monotonic_ns()
        turns = 0
        async with asyncio.TaskGroup() as group:
            async for turn in Pace(per_second, seconds):
                group.create_task(self._pay_in(turn))
                turns += 1
                self._end = time.monotonic_ns()
        return turns / ((self._end - self._begin) / 1e9)

    def accepted(self) -> float:
        """Commands acknowledged a second, while so many were offered."""
        return self._load.deposits.figures(self._begin, self._end)["per_second"]

    async def _pay_in(self, turn: int) -> None:
        account, amount = turn % len(self._load.ids), 1 + turn % AMOUNTS
        client = self._clients[turn % len(self._clients)]
        invoked = time.monotonic_ns()
        handle = client.aggregate(BankAccount, self._load.ids[account])
        try:
            done = await handle.execute(BankAccount.deposit(amount, booked_on=DAY))
        except Overloaded as refusal:
            self.refusals.append((time.monotonic_ns() - invoked) / 1e9)
            self.without_advice += refusal.retry_after_s <= 0
            self._load.deposits.failed(account, amount, invoked, refusal)
        else:
            self._load.deposits.done(account, amount, invoked, done)
