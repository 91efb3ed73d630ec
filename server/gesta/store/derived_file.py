"""A SQLite file beside the log that holds nothing but what can be made from the log again.

Whatever happens to such a file costs time, never an answer and never the server: what goes wrong is
told once and counts as "nothing found"; a file that is damaged, of another format or of another
history of the log is deleted and begun anew.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar, TypeVarTuple

from gesta.store.connection import Job, JobConnection, Link, is_code
from gesta.store.port import StorageFailed

_LOG = logging.getLogger("gesta.store")

MISHAPS = (sqlite3.Error, OSError, StorageFailed, UnicodeDecodeError)
"""What can happen to a file. Anything else is a bug, and raised.

UnicodeDecodeError is raised by sqlite3 itself, over messages that quote what is damaged.
"""

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
S = TypeVar("S")


class Unfit(sqlite3.DatabaseError):
    """What is in the file is not to be used: it has to be begun anew."""


class DerivedFile(Generic[S]):
    """One connection to the file at `path`. `begin` is run on it whenever it has been opened: its
    result is the `state`; it raises Unfit for a file that is to be deleted and begun anew."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begin: Callable[[JobConnection], S] | None = None
        self._ended = False
        self._link: Link | None = None
        self._changing = asyncio.Lock()
        self._told: set[str] = set()
        self.state: S | None = None
        """What `begin` found, until the owner puts a newer one here; None without a file."""

    async def open(self, begin: Callable[[JobConnection], S]) -> None:
        """Never raises: without a file, every job gives its `nothing`."""
        self._begin, self._ended = begin, False
        async with self._changing:
            await self._open()

    async def look(self, check: Callable[[JobConnection], S]) -> bool:
        """Instead of `open`: takes the file that is there, perhaps beside a server that uses it,
        and never makes or deletes one. Whether there is one, and `check` did not raise Unfit."""
        async with self._changing:
            return self._path.is_file() and await self._take(check)

    async def run(self, nothing: T, job: Job[*Ts, T], *parameters: *Ts) -> T:
        """What the job gives; `nothing` where there is no file, or something happened to it."""
        link = self._link
        if link is None:
            return nothing
        try:
            return await link.run(job, *parameters)
        except MISHAPS as error:
            self._tell(error)
            if _is_damage(error):
                # A task of its own, which goes on when the caller leaves.
                await asyncio.shield(asyncio.ensure_future(self._replace(link)))
            return nothing

    async def begin_anew(self) -> None:
        """Drop all that is kept."""
        if self._link is not None:
            await asyncio.shield(asyncio.ensure_future(self._replace(self._link)))

    async def close(self) -> None:
        """Release everything. Idempotent; never raises."""
        self._begin, self._ended = None, True
        async with self._changing:
            await self._close()

    def abandon(self) -> None:
        """Release the thread at once and synchronously. Idempotent."""
        self._begin, self._ended = None, True
        link, self._link, self.state = self._link, None, None
        if link is not None:
            link.stop()

    async def _replace(self, link: Link) -> None:
        async with self._changing:
            if self._link is link:  # and nobody else has done it meanwhile
                await self._close()
                await self._open(begin_anew=True)

    async def _open(self, begin_anew: bool = False) -> None:
        for anew in (begin_anew, True):
            if self._begin is None:  # closed meanwhile, or only looked at
                return
            try:
                if anew:
                    _LOG.warning("%s is begun anew", self._path)
                    self._delete()
                self._path.touch(mode=0o600)
            except OSError as error:
                _LOG.warning("%s cannot be made: %s", self._path, error)
                continue
            if await self._take(self._begin):
                return
        _LOG.error("gesta goes on without %s, more slowly", self._path)

    async def _take(self, begin: Callable[[JobConnection], S]) -> bool:
        try:
            link = await Link.open(self._path, "rw")
        except MISHAPS as error:
            _LOG.warning("%s cannot be opened: %s", self._path, error)
            return False
        try:
            state = await link.run(begin)
        except MISHAPS as error:
            _LOG.warning("%s cannot be used: %s", self._path, error)
            await self._let_go(link)
            return False
        except BaseException:
            link.stop()
            raise
        self._link, self.state = link, state
        if self._ended:  # meanwhile
            self.abandon()
        return True

    async def _close(self) -> None:
        link, self._link, self.state = self._link, None, None
        if link is not None:
            await self._let_go(link)

    async def _let_go(self, link: Link) -> None:
        try:
            await link.close()
        except MISHAPS as error:
            _LOG.warning("%s was not closed in order: %s", self._path, error)

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)

    def _tell(self, error: Exception) -> None:
        """Once for each kind: a full disk would fill the log, too."""
        kind = f"{type(error).__name__}: {error}"
        if kind not in self._told:
            self._told.add(kind)
            _LOG.warning("%s: %s", self._path, kind)


def _is_damage(error: BaseException) -> bool:
    if isinstance(error, Unfit | UnicodeDecodeError):
        return True
    return any(is_code(error, code) for code in _DAMAGE)
