"""Commands and reads on a log: a new one, or one of millions of events that was built before."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from itertools import count
from typing import Any

from examples.bank import BankAccount

from benchmarks.bank import Accounts, violations
from benchmarks.processes import Running
from benchmarks.record import NEW, Base
from benchmarks.workloads.building import AMOUNT
from gesta.client import Client, connect

CALLERS = 256
READERS = 64
OF_NEW = 10
"""Events that the accounts of a new log are given, as those of a large one have."""
WARM_S = 0.5
SETTLE_S = 60
"""At most; 50,000 events are indexed in three seconds."""
AT_REST = 0.05
"""Of a processor."""

Read = Callable[[int], Awaitable[None]]


async def measure(
    address: str, pid: int, accounts: int, first: int, base: list[int] | None, seconds: float
) -> dict[str, Any]:
    """Commands per second on so many accounts, states read per second, and events of one account
    read per second. `base` is where a log that was built stood; None for a new one."""
    stood = Base(*base) if base else NEW
    async with connect(address) as client:
        load = Accounts(client, "account", accounts, first, stood)
        if base is None:
            await load.open()
            for _ in range(OF_NEW - 1):
                await load.pay_in_once(CALLERS)
        else:
            await load.pay_in_once(CALLERS)  # so that they are in memory
        begin = time.monotonic_ns() + int(WARM_S * 1e9)
        end = begin + int(seconds * 1e9)
        await load.pay_in(CALLERS, end)
        found = load.deposits.figures(begin, end)
        await _at_rest(Running(address, pid))
        states = await _rate(load, seconds / 2, _state_of(client, load.ids))
        streams = await _rate(load, seconds / 2, _events_of(client, load.ids))
        broken = await violations(client, load)
    return found | {"states": states, "streams": streams, "violations": broken}


async def _at_rest(server: Running) -> None:
    """What the commands left to be done (the index follows them) is done, and not beside reads. A
    new log, where more was written, would have indexed more of it already than a large one."""
    end = time.perf_counter() + SETTLE_S
    while time.perf_counter() < end:
        before, begun = server.cpu_s(), time.perf_counter()
        await asyncio.sleep(1.5)  # longer than the index waits for the log to stand still
        if server.cpu_s() - before <= AT_REST * (time.perf_counter() - begun):
            return


async def _rate(load: Accounts, seconds: float, read: Read) -> float:
    """How often a second readers can do it, over all accounts in turn."""
    turns, done, begun = count(), 0, time.perf_counter()

    async def reader() -> None:
        nonlocal done
        for turn in turns:
            if time.perf_counter() - begun >= seconds:
                return
            await read(turn % len(load.ids))
            done += 1

    await asyncio.gather(*(reader() for _ in range(READERS)))
    return done / (time.perf_counter() - begun)


def _state_of(client: Client, ids: list[str]) -> Read:
    async def read(number: int) -> None:
        state = await client.aggregate(BankAccount, ids[number]).state()
        assert state.version > 0

    return read


def _events_of(client: Client, ids: list[str]) -> Read:
    async def read(number: int) -> None:
        found = client.read((BankAccount, ids[number]), limit=OF_NEW)
        async with aclosing(found.batches()) as batches:
            events = [event async for batch in batches for event in batch]
        assert len(events) == OF_NEW

    return read


def base_of(events: int, aggregates: int) -> list[int]:
    """Where the log that `building` makes stands."""
    versions = events // aggregates
    return [events, versions, AMOUNT * versions]
