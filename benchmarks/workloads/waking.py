"""Reads the state of every account once, which takes it into memory. Where there is no room for all
of them, others leave it, and their snapshots are kept."""

import asyncio

from examples.bank import BankAccount

from benchmarks.workloads.building import account
from gesta.client import connect

READERS = 256


async def measure(address: str, accounts: int) -> dict[str, int]:
    """How many there are."""
    numbers = iter(range(accounts))
    async with connect(address) as client:

        async def reader() -> None:
            for number in numbers:
                await client.aggregate(BankAccount, account(number)).state()

        await asyncio.gather(*(reader() for _ in range(READERS)))
    return {"accounts": accounts}
