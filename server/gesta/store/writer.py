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

from gesta.store.answers import Pruner
from gesta.store.connection import JobConnection, Link, is_code, nothing
from gesta.store.port import Batch, StorageFull
from gesta.store.readers import Readers
from gesta.store.reading import Bounds
from gesta.store.seal import Found
from gesta.store.wal import WalGauge
from gesta.store.writing import Base, Rows, draft, write

_LOG = logging.getLogger("gesta.store")

HOLD_READS_AT = 4
"""Reads are held when the write-ahead log is so many times its limit: rarely, as most checkpoints
catch up by themselves, and before the log is large enough to make reads slow."""


_DRAFTED_AT_ONCE_MAX = 1_024
"""Events of a batch that is drafted on the event loop, some 1 µs each: the thread would contend for
the interpreter lock all the while, and takes thrice as long. A larger one would hold up others."""


class _Append:
    """One append: what it is given, and what became of it, which its thread notes here. So that is
    known, too, if nobody waited for it."""

    def __init__(self, batch: Batch, base: Base) -> None:
        self.batch = batch
        self.base = base
        at_once = len(batch.events) <= _DRAFTED_AT_ONCE_MAX
        self.rows: Rows | None = draft(batch, base) if at_once else None
        self.is_committed = False
        self.error: Exception | None = None
        self.wal_is_long = self.wal_is_overlong = False


class LogWriter:
    """Writes to a log that is sealed. `on_failure` hears of a checkpoint that failed, and of an
    append that failed after its caller had left."""

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
        self._append: _Append | None = None
        self._unawaited: asyncio.Task[None] | None = None
        self._checkpointing: asyncio.Task[None] | None = None
        self.names = found.names
        self.bounds = Bounds(found.info.head, found.streams)

    async def append(self, batch: Batch) -> None:
        """Commit, then adopt; never while `appending`. Raises StorageFull, or whatever went wrong.

        A caller that is cancelled stops waiting, but what gets committed is adopted all the same,
        and a failure is told to `on_failure`. A task for every append would do that, too: it costs
        two turns of the event loop, in which a busy server decides for milliseconds.
        """
        append = _Append(batch, Base(self.bounds.head, self.bounds.streams, self.names))
        self._append = append
        try:
            await self._link.run(self._commit, append)
        except asyncio.CancelledError:
            self._unawaited = asyncio.ensure_future(self._see_to_its_end(append))
            raise
        self._end(append)
        if append.error is not None:
            raise append.error

    @property
    def appending(self) -> bool:
        """Whether an append has not ended yet."""
        return self._append is not None

    async def prune(self, before_us: int, limit: int) -> int:
        """Forget old answers; StorageFull when even that finds no room in the write-ahead log."""
        try:
            return await self._link.run(self._pruner.prune, before_us, limit)
        except sqlite3.Error as error:
            if is_code(error, sqlite3.SQLITE_FULL):
                raise StorageFull(str(error)) from error
            raise

    async def settle(self) -> None:
        """Wait for a checkpoint that is under way, and an append that nobody waits for."""
        for task in filter(None, (self._unawaited, self._checkpointing)):
            await asyncio.wait([task])

    def _commit(self, connection: JobConnection, append: _Append) -> None:
        """On the connection's thread. Never raises an Exception."""
        try:
            if append.rows is None:
                append.rows = draft(append.batch, append.base)
            write(connection, append.rows)
            append.is_committed = True
            append.wal_is_long = self._gauge.has_reached(self._wal_pages_max)
            if append.wal_is_long:
                append.wal_is_overlong = self._gauge.has_reached(self._hold_at_pages)
        except Exception as error:
            append.error = error

    def _end(self, append: _Append) -> None:
        """Adopt what is committed, and move the write-ahead log when it is long."""
        self._append = None
        if append.rows is None or not append.is_committed:
            return
        drawn = append.rows.drawn
        for stream, number in drawn.streams:
            stream.number = number
        self.names.adopt(drawn.names)
        self.bounds = Bounds(append.base.head + len(append.batch.events), drawn.stream_count)
        if not append.wal_is_long:
            self._hold_at_pages = HOLD_READS_AT * self._wal_pages_max
        elif self._checkpointing is None:
            # Behind the answer to this append, and before the next one on the same thread.
            self._checkpointing = asyncio.ensure_future(self._checkpoint(append.wal_is_overlong))

    async def _see_to_its_end(self, append: _Append) -> None:
        await self._link.run(nothing)  # the thread has come to it, so the append has ended
        self._end(append)
        self._unawaited = None
        if append.error is not None and not isinstance(append.error, StorageFull):
            self._on_failure(append.error)

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
