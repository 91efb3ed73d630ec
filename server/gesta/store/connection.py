"""A whole job in one hop: many statements on SQLite's thread for one await.

aiosqlite gives a connection a thread and awaits each statement there (35 µs a hop, measured). Here
what is sent over is a function, by its public interface only: `connect(factory=...)` makes a
connection of our class, and `execute_fetchall` calls our `execute`.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, TypeVar, TypeVarTuple, cast

import aiosqlite

from gesta.store.port import CorruptLog, StorageFailed, StoreError

# At DEBUG it prints the parameters of every statement: payloads of events.
logging.getLogger("aiosqlite").setLevel(logging.INFO)

BUSY_TIMEOUT_S = 5.0
"""Nobody else should have the file open; a tool that has is waited for, so long."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class _Done:
    """What `execute_fetchall` wants to see: something to fetch the result from."""

    def __init__(self, result: object) -> None:
        self._result = result

    def fetchall(self) -> object:
        return self._result


class JobConnection(sqlite3.Connection):
    """A connection whose `execute` also takes a function, called with it and the parameters.

    `on_close` is called after it has been closed, on its own thread.
    """

    on_close: Callable[[], None] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.text_factory = bytes  # most text is payload, which nobody decodes

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        if isinstance(sql, str):
            return super().execute(sql, parameters)
        return _Done(sql(self, *parameters))

    def close(self) -> None:
        super().close()
        if self.on_close is not None:
            self.on_close()


Job = Callable[[JobConnection, *Ts], T]


class Link:
    """One connection on its own thread. `close` or `stop` it, or the process cannot end."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self.jobs = 0
        """Jobs sent and not answered yet."""

    @classmethod
    async def open(
        cls, path: Path, mode: str, factory: type[JobConnection] = JobConnection
    ) -> "Link":
        """Connect to a file that exists, to read and write ("rw") or to read ("ro").

        Transactions are written out; text comes back as bytes.
        """
        return cls(
            await aiosqlite.connect(
                _uri(path, mode),
                uri=True,
                factory=factory,
                isolation_level=None,
                timeout=BUSY_TIMEOUT_S,
                cached_statements=64,
            )
        )

    async def run(self, job: Job[*Ts, T], *parameters: *Ts) -> T:
        """Run the job over there. Cancelling ends the wait, never the job."""
        self.jobs += 1
        try:
            # Typed as SQL and rows by aiosqlite, which hands both through untouched.
            sql = cast("Any", job)
            return cast("T", await self._connection.execute_fetchall(sql, parameters))
        finally:
            self.jobs -= 1

    async def close(self) -> None:
        await self._connection.close()

    def stop(self) -> None:
        """Have the thread close and end after the jobs it has, without waiting for it.

        Asked for on a thread that has no event loop: aiosqlite then reports to nobody, where it
        would otherwise report to a loop that may be closed by then.
        """
        stopper = Thread(target=self._connection.stop)
        stopper.start()
        stopper.join()


def nothing(connection: JobConnection) -> None:
    """A job that tells, by ending, that those before it have ended."""


def _uri(path: Path, mode: str) -> str:
    return f"{path.absolute().as_uri()}?mode={mode}"


SQLITE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What SQLite raises; the second where it quotes a damaged schema that is no text any more."""


def store_error(error: Exception) -> StoreError:
    """What an exception out of a job means to the callers of a store."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, UnicodeDecodeError):
        return CorruptLog(f"the schema is damaged: {error}")
    if is_code(error, sqlite3.SQLITE_CORRUPT) or is_code(error, sqlite3.SQLITE_NOTADB):
        return CorruptLog(str(error))
    return StorageFailed(f"{type(error).__name__}: {error}")


def is_code(error: BaseException, code: int) -> bool:
    """Whether SQLite's primary result code is this one, whatever the extended code says."""
    found = getattr(error, "sqlite_errorcode", None)
    return isinstance(found, int) and found & 0xFF == code


@contextmanager
def told() -> Iterator[None]:
    """SQLite's errors, and those of the file system, as those of a store. FileExistsError passes:
    it is the caller's."""
    try:
        yield
    except FileExistsError:
        raise
    except (*SQLITE_ERRORS, OSError) as error:
        raise store_error(error) from error
