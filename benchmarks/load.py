"""Durable commands through the ordinary client: each is answered after its fsync, ids stored."""

import asyncio
import itertools
import time
from dataclasses import dataclass

from examples.bank import BankAccount

from gesta.client import Client

_OPEN_AT_ONCE = 256


@dataclass(frozen=True)
class Load:
    """What was achieved."""

    per_second: float
    p50_ms: float
    p99_ms: float


async def open_accounts(client: Client, prefix: str, count: int) -> None:
    """Make the accounts, so that the measured commands find them."""
    numbers = iter(range(count))

    async def opener() -> None:
        for number in numbers:
            account = client.aggregate(BankAccount, f"{prefix}-{number}")
            await account.execute(BankAccount.open(1_000))

    await asyncio.gather(*(opener() for _ in range(_OPEN_AT_ONCE)))


async def deposits(
    client: Client, prefix: str, accounts: int, callers: int, seconds: float
) -> Load:
    """Deposits by that many callers, each with one command at a time, over the accounts in turn."""
    handles = [client.aggregate(BankAccount, f"{prefix}-{n}") for n in range(accounts)]
    turns = itertools.cycle(handles)
    latencies: list[float] = []
    begun = time.perf_counter()
    end = begun + seconds

    async def caller() -> None:
        while True:
            start = time.perf_counter()
            if start >= end:
                return
            await next(turns).execute(BankAccount.deposit(5))
            latencies.append(time.perf_counter() - start)

    await asyncio.gather(*(caller() for _ in range(callers)))
    elapsed = time.perf_counter() - begun
    latencies.sort()
    return Load(
        len(latencies) / elapsed,
        1_000 * latencies[len(latencies) // 2],
        1_000 * latencies[len(latencies) * 99 // 100],
    )
