"""Processes that run a projection and kill themselves in the middle of it.

They are forked from a process that has imported everything already, and has started nothing, so
that one takes a tenth of a second.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from random import Random
from unittest import mock

from sqlalchemy.event import listen
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.projection.books import Booked, Books

from gesta.client import Event, connect
from gesta.projection import Checkpoint, Runner, TransactionLimits, on, open_engine

KILLED = -signal.SIGKILL
TIMEOUT_S = 120.0
PRELOADED = [
    "asyncpg",
    "pytest",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.integration.projection.killing",
]
COUNTS = {
    "event": (1, 300),
    "statement": (1, 400),
    "commit": (1, 10),
    "committed": (1, 6),
    "clock": (20, 300),
}
"""Where a process dies: with so many events handled, just before so many statements or commits,
just after so many commits; or after so many milliseconds, wherever that is."""


@dataclass(frozen=True)
class Task:
    """What a process does, and when it dies."""

    address: str
    database: str
    rebuild: bool
    place: str
    """One of COUNTS."""
    count: int

    @classmethod
    def drawn(cls, random: Random, number: int, address: str, database: str) -> "Task":
        """Every place in turn; every sixth is a rebuild."""
        place = list(COUNTS)[number % len(COUNTS)]
        return cls(address, database, number % 6 == 5, place, random.randint(*COUNTS[place]))


def ready_to_fork() -> ForkServerContext:
    """The process that others are forked from; it ends with this one."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    with mock.patch.dict(os.environ, {"PYTHONPATH": os.pathsep.join(sys.path)}):
        forkserver.ensure_running()  # what it cannot import it would leave to each of the others
    return context


def perform(forks: ForkServerContext, task: Task) -> int:
    """In a process of its own; its exit code, KILLED or 0 where the end came first."""
    process = forks.Process(target=_perform, args=(task,))
    process.start()
    process.join(TIMEOUT_S)
    assert process.exitcode is not None, "it hangs"
    return process.exitcode


def _perform(task: Task) -> None:
    if task.place == "clock":
        timer = threading.Timer(task.count / 1000, _die)
        timer.daemon = True
        timer.start()
    asyncio.run(_project(task))


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(TIMEOUT_S)  # not a step further, however long the signal takes


async def _project(task: Task) -> None:
    left = task.count

    def reached(place: str) -> None:
        nonlocal left
        left -= place == task.place
        if left == 0:
            _die()

    class Mortal(Books):
        name = "books"

        @on(Booked)
        async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
            await super().booked(event, recorded, connection)
            reached("event")

    async def committed(checkpoint: Checkpoint) -> None:
        reached("committed")

    engine = open_engine(task.database)
    listen(engine.sync_engine, "before_cursor_execute", lambda *_: reached("statement"))
    listen(engine.sync_engine, "commit", lambda _: reached("commit"))
    limits = TransactionLimits(events_max=1)  # a frame of the log's, then
    async with (
        connect(task.address) as client,
        Runner(client, Mortal, engine, limits=limits, on_commit=committed) as runner,
    ):
        await (runner.rebuild() if task.rebuild else runner.run_once())
    await engine.dispose()
