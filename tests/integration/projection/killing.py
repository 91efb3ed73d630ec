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

from sqlalchemy.ext.asyncio import AsyncConnection
from tests.integration.projection.books import Booked, Books

from gesta.client import Event, connect
from gesta.projection import Checkpoint, Runner, TransactionLimits, on

KILLED = -signal.SIGKILL
TIMEOUT_S = 120.0
PRELOADED = [
    "asyncpg",
    "pytest",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
    "tests.integration.projection.killing",
]
COUNTS = {"handler": (1, 300), "flush": (1, 6), "commit": (1, 6), "clock": (20, 300)}
"""Where a process dies: after so many events, transactions just before their commit, or just after
it; or after so many milliseconds, wherever that is."""


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
    def drawn(cls, random: Random, address: str, database: str) -> "Task":
        place = random.choice(list(COUNTS))
        rebuild = random.random() < 0.25
        return cls(address, database, rebuild, place, random.randint(*COUNTS[place]))


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
            reached("handler")

        async def flush(self, connection: AsyncConnection) -> None:
            await super().flush(connection)
            reached("flush")

    async def committed(checkpoint: Checkpoint) -> None:
        reached("commit")

    limits = TransactionLimits(events_max=1)  # a frame of the log's, then
    async with (
        connect(task.address) as client,
        Runner(client, Mortal, task.database, limits=limits, on_commit=committed) as runner,
    ):
        await (runner.rebuild() if task.rebuild else runner.run_once())
