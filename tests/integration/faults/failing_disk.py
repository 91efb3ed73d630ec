"""Tally, on a disk whose COMMITs fail from a signal on: as a TARGET, it does that to its server.

SIGUSR1  nothing of the commit gets to the disk
SIGUSR2  all of it does, and the error comes all the same
"""

import signal
import sqlite3
from types import FrameType

from tests.integration.edge.tally import Tally
from tests.unit.store.failing import FailingConnection, sqlite_error

from gesta.store import SqliteStore

__all__ = ["Tally"]


class _Failing(FailingConnection):
    pass


def _fail(number: int, frame: FrameType | None) -> None:
    _Failing.really_done = number == signal.SIGUSR2
    _Failing.error = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")


for _each in (signal.SIGUSR1, signal.SIGUSR2):
    signal.signal(_each, _fail)
_defaults = SqliteStore.__init__.__kwdefaults__
assert _defaults is not None
_defaults["connection"] = _Failing
