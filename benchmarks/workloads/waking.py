"""Reads the state of every account once, which takes it into memory; to see what that takes, and
whether its snapshot is kept when it leaves."""

import asyncio
import sys
import time
from typing import Any

from examples.bank import BankAccount

from benchmarks.processes import Running
from benchmarks.workloads.building import account
from gesta.client import connect

READERS = 256


async def measure(address: str, pid: int, accounts: int) -> dict[str, Any]:
    """Bytes of memory that the server uses more, for each; bytes of a state among them."""
    server = Running(address, pid)
    numbers = iter(range(accounts))
    states: list[BankAccount] = []
    async with connect(address) as client:
        await client.info()
        before, begun = server.rss_bytes(), time.perf_counter()

        async def reader() -> None:
            for number in numbers:
                found = await client.aggregate(BankAccount, account(number)).state()
                if not states:
                    states.append(found.state)

        await asyncio.gather(*(reader() for _ in range(READERS)))
        taken = time.perf_counter() - begun
        after = server.rss_bytes()
    return {
        "bytes": (after - before) / accounts,
        "state_bytes": size_of(states[0]),
        "rss_bytes": after,
        "per_second": accounts / taken,
    }


def size_of(state: BankAccount) -> int:
    """The state itself and what only it refers to."""
    fields = (state.balance, state.overdraft_limit, state.transaction_count, state.last_activity)
    own = [each for each in fields if not (isinstance(each, int) and -5 <= each <= 256)]
    gc_header_bytes = 16
    return gc_header_bytes + sys.getsizeof(state) + sum(map(sys.getsizeof, own))
