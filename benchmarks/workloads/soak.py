"""A mixed load for a long time, and what it does to the server: memory, files, threads, times.

Deposits at a steady rate; readers of states; a subscriber that stays and one that comes and goes;
refused commands; connections that come and go.
"""

import asyncio
import time
from array import array
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from zlib import crc32

from examples.bank import BankAccount
from tests.history.history import History
from tests.history.log import LoggedEvent, logged

from benchmarks.bank import DAY, Accounts, full_log, told
from benchmarks.processes import Running
from benchmarks.workloads.paced import Pace, pay_in
from gesta.client import AggregateNotFound, Client, Refused, connect

ACCOUNTS = 10_000
READERS = 4
SAMPLE_S = 1.0
PAUSE_S = 0.02
"""Of a reader between two reads."""
TOO_MUCH = 10**12


async def measure(address: str, pid: int, per_second: float, seconds: float) -> dict[str, Any]:
    """Figures of the second third of the time and of the last one; the first is for warming up."""
    samples = Samples(Running(address, pid))
    async with connect(address) as client:
        load, history, witness = Accounts(client, "account", ACCOUNTS), History(), Witness()
        await load.open()
        around: list[Callable[[], Awaitable[None]]] = [
            samples.take,
            lambda: witness.follow(client),
            lambda: _come_and_go(address),
            lambda: _ask_too_much(load, client),
            *[lambda: _read(history, load, client)] * READERS,
        ]
        begin = time.monotonic_ns()
        tasks = [asyncio.ensure_future(each()) for each in around]
        async with asyncio.TaskGroup() as group:
            async for turn in Pace(per_second, seconds):
                group.create_task(pay_in(load, client, turn))
        end = time.monotonic_ns()
        log = await full_log(client)
        await witness.wait_for(len(log))
        for each in tasks:
            each.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    load.add_to(history)
    broken = [repr(each) for each in ended if not isinstance(each, asyncio.CancelledError)]
    broken += witness.differs(log) + told(history, log)
    return samples.figures() | _times(load, begin, end) | {"violations": broken}


def _times(load: Accounts, begin: int, end: int) -> dict[str, float]:
    """The p99 of each of the last two thirds, in ms."""
    third = (end - begin) // 3
    middle = load.deposits.figures(begin + third, begin + 2 * third)
    last = load.deposits.figures(begin + 2 * third, end)
    return {
        "p99_warm_ms": middle["p99_ms"],
        "p99_end_ms": last["p99_ms"],
        "per_second": last["per_second"],
    }


@dataclass
class Samples:
    """Of the server, second by second."""

    server: Running
    rss: "array[float]" = field(default_factory=lambda: array("d"))
    files: "array[int]" = field(default_factory=lambda: array("q"))
    threads: "array[int]" = field(default_factory=lambda: array("q"))

    async def take(self) -> None:
        while True:
            self.rss.append(self.server.rss_bytes() / 1e6)
            self.files.append(self.server.open_files())
            self.threads.append(self.server.threads())
            await asyncio.sleep(SAMPLE_S)

    def figures(self) -> dict[str, float]:
        """Medians of the second third, and of the last."""
        third = max(1, len(self.rss) // 3)

        def of(values: Sequence[float]) -> tuple[float, float]:
            return median(values[third : 2 * third]), median(values[2 * third :])

        found = {"rss_mb": of(self.rss), "files": of(self.files), "threads": of(self.threads)}
        return {
            f"{name}_{when}": value
            for name, pair in found.items()
            for when, value in zip(("warm", "end"), pair, strict=True)
        }


class Witness:
    """A subscriber from the beginning that keeps no events: only how far it has come, and a
    checksum over all it was given."""

    def __init__(self) -> None:
        self._position = 0
        self._checksum = 0
        self._broken: list[str] = []

    async def follow(self, client: Client) -> None:
        async with client.subscribe() as subscription:
            async for batch in subscription.batches():
                for each in batch.events:
                    self._see(logged(each.message))

    async def wait_for(self, position: int) -> None:
        """Returns when it has come so far, or after a while."""
        with suppress(TimeoutError):
            async with asyncio.timeout(30):
                while self._position < position:  # noqa: ASYNC110 - it need not be soon
                    await asyncio.sleep(0.05)

    def differs(self, log: Sequence[LoggedEvent]) -> list[str]:
        """What is wrong with what was seen."""
        seen, wanted = self._checksum, 0
        for event in log[: self._position]:
            wanted = _chained(event, wanted)
        if seen != wanted or self._position < len(log):
            self._broken.append(f"SEEN_OTHERWISE or too little: up to {self._position}")
        return self._broken

    def _see(self, event: LoggedEvent) -> None:
        if event.position != self._position + 1:
            self._broken.append(f"SEEN_GAP: {event.position} after {self._position}")
        self._position = event.position
        self._checksum = _chained(event, self._checksum)


def _chained(event: LoggedEvent, before: int) -> int:
    return crc32(b"%d %b %b" % (event.position, event.event_id, event.data), before)


async def _read(history: History, load: Accounts, client: Client) -> None:
    """States, which must not be older than what anybody was told before."""
    number = 0
    while True:
        number = (number + 997) % len(load.ids)
        asked = history.ask("BankAccount", load.ids[number])
        try:
            found = await client.aggregate(BankAccount, load.ids[number]).state()
        except AggregateNotFound:
            history.answered(asked, 0, None, 0)
        else:
            history.answered(asked, found.version, found.position, found.state.balance)
        await asyncio.sleep(PAUSE_S)


async def _come_and_go(address: str) -> None:
    """A connection with a subscriber that leaves in the middle of things."""
    while True:
        async with connect(address) as client, client.subscribe(from_now=True) as subscription:
            with suppress(TimeoutError):
                async with asyncio.timeout(0.5):
                    async for _ in subscription.batches():
                        pass


async def _ask_too_much(load: Accounts, client: Client) -> None:
    """Commands that the bank refuses."""
    number = 0
    while True:
        number = (number + 1) % len(load.ids)
        with suppress(Refused):
            await client.aggregate(BankAccount, load.ids[number]).execute(
                BankAccount.withdraw(TOO_MUCH, booked_on=DAY)
            )
        await asyncio.sleep(PAUSE_S)
