"""Live subscribers under load: how soon each of them has what was committed.

The commands come from a process of their own. An event's commit time is set when its batch is
sealed, before the sync, so the times here have the commit within.

One process has all the subscribers, and must not be what is measured. It only notes what comes and
when, and takes it apart when the load is over; and the garbage collector, to which all that is kept
looks like more and more work, is off.
"""

import asyncio
import gc
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

from tests.history.checker import check
from tests.history.history import History
from tests.history.log import logged
from tests.history.violation import Kind

from benchmarks.bank import full_log
from benchmarks.processes import measured
from benchmarks.record import share_of
from gesta.client import Subscription, connect
from gesta.v1.event_pb2 import RecordedEvent

PER_CONNECTION = 250
"""Subscriptions that share a connection; a server takes 1,000 calls on one."""
ACCOUNTS = 100
SETTLE_S = 0.5
"""Not counted, at the beginning; nor at the end, where the load's own process begins to check what
it was told. Each may spoil one commit's deliveries, and the p99 of few commits is just that."""


async def measure(
    address: str, subscribers: int, per_second: float, seconds: float
) -> dict[str, Any]:
    """Deliveries per second and their times, with commands at that rate; and whether everyone was
    given exactly the log."""
    gc.disable()
    notes: list[_Notes] = []
    async with AsyncExitStack() as stack:
        connections = -(-subscribers // PER_CONNECTION)
        clients = [await stack.enter_async_context(connect(address)) for _ in range(connections)]
        followers = []
        for n in range(subscribers):
            subscription = await stack.enter_async_context(clients[n % connections].subscribe())
            notes.append(_Notes())
            followers.append(asyncio.create_task(_follow(subscription, notes[n])))
        load = await measured(
            "workloads.paced",
            address=address,
            accounts=ACCOUNTS,
            per_second=per_second,
            seconds=seconds + 2 * SETTLE_S,
        )
        log = await full_log(clients[0])
        await _all_have(notes, len(log))
        for each in followers:
            each.cancel()
        await asyncio.gather(*followers, return_exceptions=True)
    first = log[ACCOUNTS].commit_time_us / 1e6 + SETTLE_S
    history, times = _taken_apart(notes, len(log))
    counted = sorted(taken for at, taken in times if first <= at < first + seconds)
    broken = [each for each in check(history, log) if each.kind is not Kind.NOBODY_ASKED]
    return {
        "per_second": len(counted) / seconds,
        "p50_ms": 1e3 * share_of(counted, 0.5),
        "p99_ms": 1e3 * share_of(counted, 0.99),
        "lag_ms": load["lag_ms"],
        "violations": [*load["violations"], *map(str, broken[:5])],
    }


class _Notes:
    """What one subscriber was given: each batch's events, and the moment."""

    def __init__(self) -> None:
        self.batches: list[list[RecordedEvent]] = []
        self.moments: list[float] = []
        self.position = 0


async def _follow(subscription: Subscription, notes: _Notes) -> None:
    while True:
        batch = await subscription.next_batch()
        notes.moments.append(time.time())
        notes.batches.append([each.message for each in batch.events])
        notes.position = batch.position


def _taken_apart(notes: Sequence[_Notes], head: int) -> tuple[History, list[tuple[float, float]]]:
    """What everyone saw, who was to come to the head, for the checker; and of each delivery, the
    commit and the time it took."""
    history = History()
    times: list[tuple[float, float]] = []
    for each in notes:
        seen = history.subscriber()
        seen.waited_for = head
        for moment, messages in zip(each.moments, each.batches, strict=True):
            events = list(map(logged, messages))
            history.take(seen, events)
            committed = [event.commit_time_us / 1e6 for event in events]
            times.extend((at, moment - at) for at in committed)
    return history, times


async def _all_have(notes: Sequence[_Notes], position: int) -> None:
    """Returns when everyone has come so far, or after a while: then the checker tells of it."""
    end = time.perf_counter() + 30
    while time.perf_counter() < end:
        if all(each.position >= position for each in notes):
            return
        await asyncio.sleep(0.05)
