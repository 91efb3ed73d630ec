"""Callers, a reader and a subscriber that keep a history, whatever happens to the server.

Nothing here waits for time to pass: a test waits until so many commands were acknowledged.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any
from uuid import UUID

import msgspec
from tests.history.checker import assert_clean
from tests.history.history import Command, Write
from tests.history.log import LoggedEvent
from tests.history.recording import Recorder
from tests.integration.edge.tally import Added

from gesta.client import Client, Done, GestaError, RetryPolicy, Subscription

CALLERS = 32
AGGREGATES = 8
"""Few, so that each has several callers whose commands rest on each other."""

TIMEOUT_S = 600.0
"""For all that a load does, restarts included. Nothing is measured by it."""

ONCE = RetryPolicy(attempts_max=1)
"""For callers that are to hear what the server says to each of their commands."""
PATIENT = RetryPolicy(attempts_max=10_000, backoff_max_s=0.2)
"""For callers that are not to notice a restart, on however busy a machine."""


class Load:
    """`errors` are the answers that were none; a caller that got one asks no more."""

    def __init__(self, recorder: Recorder, name: str = "") -> None:
        self.recorder = recorder
        self.acknowledged = 0
        self.errors: list[GestaError] = []
        self._name = name
        self._over = False
        self._moved = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def until(self, acknowledged: int) -> None:
        """Returns when so many commands of this load were acknowledged, in all. Fails when nobody
        is left to ask for them."""
        while self.acknowledged < acknowledged:
            assert len(self.errors) < CALLERS, f"nobody asks any more: {self.errors[:3]}"
            self._moved.clear()
            await self._moved.wait()

    async def end(self) -> None:
        """Returns when everyone has been answered, and asks no more."""
        self._over = True
        await self.stopped()

    async def refused(self) -> None:
        """Returns when every caller has given up; the reader may go on."""
        await asyncio.gather(*self._tasks[:CALLERS])

    async def stopped(self) -> None:
        """Returns when everyone has given up, each for an error."""
        await asyncio.gather(*self._tasks)

    def start(self, group: asyncio.TaskGroup) -> None:
        work = [self.call(caller) for caller in range(CALLERS)]
        self._tasks = [group.create_task(each) for each in [*work, self.read()]]

    async def call(self, caller: int) -> None:
        """One caller, who waits for an answer before the next command."""
        for serial in count(1):
            if self._over:
                return
            note = f"{self._name}{caller}/{serial}"
            answer = await add(self.recorder, f"tally-{(caller + serial) % AGGREGATES}", note)
            if isinstance(answer, GestaError):
                self.errors.append(answer)
                self._moved.set()
                return
            self.acknowledged += 1
            self._moved.set()

    async def read(self) -> None:
        """One reader, who looks at one aggregate after the other."""
        for serial in count():
            error = await self.recorder.state("Tally", f"tally-{serial % AGGREGATES}", total_in)
            if error is not None:
                self.errors.append(error)
            if self._over or error is not None:
                return


async def add(
    recorder: Recorder, aggregate_id: str, note: str, amount: int = 1
) -> object | GestaError:
    """One command, whose event's very bytes are known."""
    data = msgspec.json.encode(Added(amount, note))
    write = Write("Tally", aggregate_id, "Added", data)
    return await recorder.execute("add", {"amount": amount, "note": note}, [write], figure_of=int)


async def asked_again(recorder: Recorder, command: Command) -> "Done[Any]":
    """The answer to an `add` under an id that it was asked for with before."""
    (write,) = command.writes
    done = await recorder.execute(
        "add",
        json.loads(write.data),
        [write],
        figure_of=int,
        command_id=UUID(bytes=command.command_id),
    )
    assert isinstance(done, Done), done
    return done


@asynccontextmanager
async def loaded(recorder: Recorder, name: str = "") -> AsyncIterator[Load]:
    """Everyone has been answered when the block has ended. Names keep the notes of loads apart."""
    load = Load(recorder, name)
    async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as group:
        load.start(group)
        yield load
        await load.end()


class Following:
    """A subscriber from the beginning, which goes on in the background until it is to end."""

    def __init__(self, recorder: Recorder, subscription: Subscription) -> None:
        self.seen = recorder.history.subscriber()
        self._recorder = recorder
        self._subscription = subscription
        self._task = asyncio.create_task(recorder.follow(subscription, self.seen))

    async def end(self, position: int = 0) -> None:
        """Once it has come up to the position. Raises what ended it before."""
        self._task.cancel()
        await asyncio.wait({self._task})
        if not self._task.cancelled():
            await self._task
        async with asyncio.timeout(TIMEOUT_S):
            await self._recorder.follow(self._subscription, self.seen, position)


@asynccontextmanager
async def followed(recorder: Recorder, client: Client) -> AsyncIterator[Following]:
    """Has been accepted when the block begins."""
    async with client.subscribe() as subscription:
        following = Following(recorder, subscription)
        try:
            yield following
        finally:
            await following.end()


async def verify(recorder: Recorder, following: Following | None = None) -> list[LoggedEvent]:
    """Holds the history against the log, of which the subscriber must see all; gives the log."""
    log = await recorder.log()
    if following is not None:
        await following.end(len(log))
    assert_clean(recorder.history, log, total_after)
    return log


def total_after(before: int, event: LoggedEvent) -> int:
    """A Tally's total is its figure."""
    return before + int(json.loads(event.data)["amount"])


def total_in(state: dict[str, int]) -> int:
    return state["total"]
