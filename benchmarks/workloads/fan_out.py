"""Live subscribers under load: how soon each of them has what was committed.

The commands come from a process of their own. An event's commit time is set when its batch is
sealed, before the sync, so the times here have the commit within.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from typing import Any

from tests.history.checker import check
from tests.history.history import History, Seen
from tests.history.log import logged
from tests.history.violation import Kind

from benchmarks.bank import full_log
from benchmarks.processes import measured
from benchmarks.record import share_of
from gesta.client import Subscription, connect

PER_CONNECTION = 250
"""Subscriptions that share a connection; a server takes 1,000 calls on one."""
ACCOUNTS = 100
SETTLE_S = 0.5
"""Not counted, at the beginning."""


async def measure(
    address: str, subscribers: int, per_second: float, seconds: float
) -> dict[str, Any]:
    """Deliveries per second and their times, with commands at that rate; and whether everyone was
    given exactly the log."""
    history = History()
    times: list[tuple[float, float]] = []
    async with AsyncExitStack() as stack:
        connections = -(-subscribers // PER_CONNECTION)
        clients = [await stack.enter_async_context(connect(address)) for _ in range(connections)]
        followers = []
        for n in range(subscribers):
            subscription = await stack.enter_async_context(clients[n % connections].subscribe())
            seen = history.subscriber()
            followers.append(asyncio.create_task(_follow(history, subscription, seen, times)))
        load = await measured(
            "workloads.paced",
            address=address,
            accounts=ACCOUNTS,
            per_second=per_second,
            seconds=seconds,
        )
        log = await full_log(clients[0])
        await _all_have(history, len(log))
        for each in followers:
            each.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
    first = log[ACCOUNTS].commit_time_us / 1e6 + SETTLE_S
    counted = sorted(taken for committed, taken in times if committed >= first)
    broken = [each for each in check(history, log) if each.kind is not Kind.NOBODY_ASKED]
    return {
        "per_second": len(counted) / (seconds - SETTLE_S),
        "p50_ms": 1e3 * share_of(counted, 0.5),
        "p99_ms": 1e3 * share_of(counted, 0.99),
        "lag_ms": load["lag_ms"],
        "violations": [*load["violations"], *map(str, broken[:5])],
    }


async def _follow(
    history: History,
    subscription: Subscription,
    seen: Seen,
    times: list[tuple[float, float]],
) -> None:
    while True:
        batch = await subscription.next_batch()
        now = time.time()
        events = [logged(each.message) for each in batch.events]
        history.take(seen, events)
        for event in events:
            committed = event.commit_time_us / 1e6
            times.append((committed, now - committed))


async def _all_have(history: History, position: int) -> None:
    """Returns when everyone has come so far, or after a while: then the checker tells of it."""
    end = time.perf_counter() + 30
    while time.perf_counter() < end:
        if all(seen.position >= position for seen in history.seen):
            return
        await asyncio.sleep(0.05)
