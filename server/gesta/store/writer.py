"""The one connection that writes: appends, pruning, and checkpoints between them.

A checkpoint goes on beside reads, and moves what no reader is in the way of. The write-ahead log is
begun anew only when all of it has moved and nobody reads from it, which under reads without a pause
may never be. So when it has grown far beyond its limit, reads are held for one checkpoint.

What is confirmed (head, streams, names) moves here, on the event loop, in the step that ends an
append; a batch that fails has changed nothing in memory.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import nullcontext
from typing import NamedTuple

from gesta.store.answers import Pruner
from gesta.store.connection import JobConnection, Link, is_code
from gesta.store.port import Batch, StorageFull
from gesta.store.readers import Readers
from gesta.store.reading import Bounds
from gesta.store.seal import Found
from gesta.store.wal import WalGauge
from gesta.store.writing import Base, Drawn, write_batch

_LOG = logging.getLogger("gesta.store")

HOLD_READS_AT = 4
"""Reads are held when the write-ahead log is so many times its limit: rarely, as most checkpoints
catch up by themselves, and before the log is large enough to make reads slow."""


class _Committed(NamedTuple):
    """What a commit drew, and how long the write-ahead log is after it."""

    drawn: Drawn
    wal_is_long: bool
    wal_is_overlong: bool


class LogWriter:
    """Writes to a log that is sealed. `on_failure` hears of a checkpoint that failed."""

    def __init__(
        self,
        link: Link,
        found: Found,
        gauge: WalGauge,
        wal_pages_max: int,
        readers: Readers,
        on_failure: Callable[[Exception], object],
    ) -> None:
        self._link = link
        self._gauge = gauge
        self._wal_pages_max = wal_pages_max
        self._hold_at_pages = HOLD_READS_AT * wal_pages_max
        self._readers = readers
        self._on_failure = on_failure
        self._pruner = Pruner()
        self._checkpointing: asyncio.Task[None] | None = None
        self.names = found.names
        self.bounds = Bounds(found.info.head, found.streams)

    async def append(self, batch: Batch) -> None:
        """Commit, then adopt. Raises StorageFull, or whatever went wrong; must not be cancelled."""
        base = Base(self.bounds.head, self.bounds.streams, self.names)
        drawn, wal_is_long, wal_is_overlong = await self._link.run(self._commit, batch, base)
        for stream, number in drawn.streams:
            stream.number = number
        self.names.adopt(drawn.names)
        self.bounds = Bounds(base.head + len(batch.events), drawn.stream_count)
        if not wal_is_long:
            self._hold_at_pages = HOLD_READS_AT * self._wal_pages_max
        elif self._checkpointing is None:
            # Behind the answer to this append, and before the next one on the same thread.
            self._checkpointing = asyncio.ensure_future(self._checkpoint(wal_is_overlong))

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

    def _commit(self, connection: JobConnection, batch: Batch, base: Base) -> _Committed:
        drawn = write_batch(connection, batch, base)
        is_long = self._gauge.has_reached(self._wal_pages_max)
        is_overlong = is_long and self._gauge.has_reached(self._hold_at_pages)
        return _Committed(drawn, is_long, is_overlong)

    async def _checkpoint(self, holding_reads: bool) -> None:
        try:
            async with self._readers.hold() if holding_reads else nullcontext():
                all_moved = await self._link.run(_move_into_database)
            if holding_reads and not all_moved:
                self._hold_reads_later()
        except sqlite3.Error as error:
            if is_code(error, sqlite3.SQLITE_FULL):
                _LOG.warning("no room to move the write-ahead log; the next append tries again")
            else:
                self._on_failure(error)
        except Exception as error:
            self._on_failure(error)
        finally:
            self._checkpointing = None

    def _hold_reads_later(self) -> None:
        """Whoever is in the way is none of our readers: hold them again at twice the size."""
        _LOG.warning(
            "the write-ahead log has %d pages and cannot be moved: another program reads the log",
            self._hold_at_pages,
        )
        self._hold_at_pages *= 2


def _move_into_database(connection: JobConnection) -> bool:
    """As far as no reader is in the way: what is left moves next time. Whether nothing is left."""
    _, frames, moved = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(frames == moved)
