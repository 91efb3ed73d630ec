"""The one connection that writes: appends, pruning, and checkpoints between them.

What is confirmed (head, streams, names) moves here, on the event loop, in the step that ends an
append; a batch that fails has changed nothing in memory.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from gesta.store.answers import Pruner
from gesta.store.connection import JobConnection, Link, is_code
from gesta.store.port import Batch, StorageFull
from gesta.store.reading import Bounds
from gesta.store.seal import Found
from gesta.store.wal import WalGauge
from gesta.store.writing import Base, Drawn, write_batch

_LOG = logging.getLogger("gesta.store")


class LogWriter:
    """Writes to a log that is sealed. `on_failure` hears of a checkpoint that failed."""

    def __init__(
        self, link: Link, found: Found, gauge: WalGauge, on_failure: Callable[[Exception], object]
    ) -> None:
        self._link = link
        self._gauge = gauge
        self._on_failure = on_failure
        self._pruner = Pruner()
        self._checkpointing: asyncio.Task[None] | None = None
        self.names = found.names
        self.bounds = Bounds(found.info.head, found.streams)

    async def append(self, batch: Batch) -> None:
        """Commit, then adopt. Raises StorageFull, or whatever went wrong; must not be cancelled."""
        base = Base(self.bounds.head, self.bounds.streams, self.names)
        drawn, wal_is_long = await self._link.run(self._commit, batch, base)
        for stream, number in drawn.streams:
            stream.number = number
        self.names.adopt(drawn.names)
        self.bounds = Bounds(base.head + len(batch.events), drawn.stream_count)
        if wal_is_long and self._checkpointing is None:
            # Behind the answer to this append, and before the next one on the same thread.
            self._checkpointing = asyncio.ensure_future(self._checkpoint())

    async def prune(self, before_us: int, limit: int) -> int:
        """Forget old answers; StorageFull when even that finds no room in the write-ahead log."""
        try:
            return await self._link.run(self._pruner.prune, before_us, limit)
        except sqlite3.Error as error:
            if is_code(error, sqlite3.SQLITE_FULL):
                raise StorageFull(str(error)) from error
            raise

    async def settle(self) -> None:
        """Wait for a checkpoint that is under way."""
        if self._checkpointing is not None:
            await asyncio.wait([self._checkpointing])

    def _commit(self, connection: JobConnection, batch: Batch, base: Base) -> tuple[Drawn, bool]:
        drawn = write_batch(connection, batch, base)
        return drawn, self._gauge.is_reached()

    async def _checkpoint(self) -> None:
        try:
            await self._link.run(_move_into_database)
        except sqlite3.Error as error:
            if is_code(error, sqlite3.SQLITE_FULL):
                _LOG.warning("no room to move the write-ahead log; the next append tries again")
            else:
                self._on_failure(error)
        except Exception as error:
            self._on_failure(error)
        finally:
            self._checkpointing = None


def _move_into_database(connection: JobConnection) -> None:
    """As far as no reader is in the way: what is left moves next time."""
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
