"""What a process hosts whose disk stalls, or whose code gets stuck, when a command says so.

Importing it, as `gesta serve` does, puts a stalling disk and an impatient watchdog in place.
"""

import itertools
import logging
import re
import threading
from functools import partial
from typing import Any

from gesta.domain import Decision, aggregate, command, event
from gesta.engine import engine
from gesta.engine.watchdog import Watchdog
from gesta.server import process
from gesta.store.connection import JobConnection
from gesta.store.sqlite import SqliteStore

KILL_S = 0.5
_stalled = threading.Event()


class StallingConnection(JobConnection):
    """Never returns from a commit, once it is told to."""

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        if sql == "COMMIT" and _stalled.is_set():
            logging.getLogger("stalling").warning("the disk has stalled")
            threading.Event().wait()
        return super().execute(sql, parameters)


def _impatient(warn_s: float, kill_s: float) -> Watchdog:
    return Watchdog(KILL_S / 5, KILL_S)


def _install() -> None:
    vars(process)["SqliteStore"] = partial(SqliteStore, connection=StallingConnection)
    vars(engine)["Watchdog"] = _impatient


_install()


@event("Done")
class Done:
    pass


@aggregate("Stalling")
class Stalling:
    def evolve(self, event: Done) -> "Stalling":
        return self

    @command
    def work(self) -> Decision[Done, "Stalling", None]:
        yield Done()

    @command
    def stall(self) -> Decision[Done, "Stalling", None]:
        """The last commit: it never returns."""
        _stalled.set()
        yield Done()

    @command
    def loop(self) -> Decision[Done, "Stalling", None]:
        """Takes for ever, in Python: other threads get their turn."""
        for _ in itertools.count():
            pass
        yield Done()

    @command
    def match(self) -> Decision[Done, "Stalling", None]:
        """Takes for ever, in C: no other thread of Python gets a turn."""
        re.match(r"(a+)+$", "a" * 64 + "b")
        yield Done()
