"""A log in one SQLite file: opened in order, closed in order, and what a failure means."""

import asyncio
import logging
import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from gesta.store import header, schema
from gesta.store.answers import Answers
from gesta.store.connection import SQLITE_ERRORS, JobConnection, Link, store_error
from gesta.store.finder import Answer, Finder, Sought
from gesta.store.lock import LogLock
from gesta.store.newest_ids import newest_ids
from gesta.store.port import (
    Batch,
    CommandRecord,
    EventColumns,
    EventRecord,
    LogInfo,
    StorageFailed,
    StorageFull,
    Stream,
    StreamHead,
)
from gesta.store.readers import Readers
from gesta.store.reading import Bounds, Reader
from gesta.store.seal import Found, seal
from gesta.store.wal import WalGauge
from gesta.store.writer import LogWriter

_LOG = logging.getLogger("gesta.store")

FILE = "log.sqlite3"
LOCK_FILE = "log.lock"

T = TypeVar("T")
P = ParamSpec("P")


class SqliteStore:
    """The log in `directory`, which is made if it is missing, for this user alone.

    `readers`: connections that read at once; more than there are cores bring nothing.
    `wal_pages_max`: pages of 4 KiB in the write-ahead log before they are moved into the database,
    between two appends; 16 MiB take some 10 ms. At four times as many, reads wait for it.
    `writer_cache_kib`, `reader_cache_kib`: SQLite's page cache, per connection.
    `streams_in_memory_max`: aggregates whose type and id a reader remembers, some 250 bytes each.
    `connection`: the class of the writing connection, for tests that make it fail.
    `now_us`, `new_log_id`: clock and chance, for logs that are to come out the same each time.
    """

    def __init__(
        self,
        directory: Path,
        *,
        readers: int = 2,
        wal_pages_max: int = 4_000,
        writer_cache_kib: int = 64 << 10,
        reader_cache_kib: int = 16 << 10,
        streams_in_memory_max: int = 50_000,
        connection: type[JobConnection] = JobConnection,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1_000,
        new_log_id: Callable[[], bytes] = lambda: os.urandom(16),
    ) -> None:
        limits = (readers, wal_pages_max, writer_cache_kib, reader_cache_kib, streams_in_memory_max)
        if min(limits) < 1:
            raise ValueError("every limit of a store is 1 at least")
        self._directory = directory
        self._path = directory / FILE
        self._readers_wanted = readers
        self._wal_pages_max = wal_pages_max
        self._writer_cache_kib = writer_cache_kib
        self._reader_cache_kib = reader_cache_kib
        self._streams_in_memory_max = streams_in_memory_max
        self._connection = connection
        self._now_us = now_us
        self._new_log_id = new_log_id
        self._unusable: str | None = "it is not open"
        self._lock: LogLock | None = None
        self._link: Link | None = None
        self._readers = Readers()
        self._finder = Finder(self._find_some, readers)
        self._answers = Answers()
        self._writer: LogWriter | None = None

    async def open(self) -> LogInfo:
        try:
            info = await self._open()
        except BaseException as error:
            await self.close()
            if isinstance(error, (*SQLITE_ERRORS, OSError)):
                raise store_error(error) from error
            raise
        self._unusable = None
        return info

    async def append(self, batch: Batch) -> None:
        writer = self._usable_writer()
        assert not writer.appending, "one append at a time"
        try:
            await writer.append(batch)
        except StorageFull:
            raise
        except Exception as error:
            raise self._failed(error) from error

    async def read_log(
        self, after: int, until: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        return await self._read(Reader.log, self._bounds(), after, until, limit, bytes_max)

    async def read_log_columns(
        self,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
        make: Callable[[EventColumns], T],
    ) -> list[T]:
        bounds = self._bounds()
        return await self._read(Reader.log_columns, bounds, after, until, limit, bytes_max, make)

    async def read_log_backwards(
        self, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        return await self._read(Reader.log_backwards, self._bounds(), before, limit, bytes_max)

    async def read_stream(
        self, stream: Stream, after: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        bounds = self._bounds()
        if stream.number is None:
            return []
        return await self._read(Reader.stream, bounds, stream.number, after, limit, bytes_max)

    async def read_stream_backwards(
        self, stream: Stream, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        bounds = self._bounds()
        if stream.number is None:
            return []
        return await self._read(
            Reader.stream_backwards, bounds, stream.number, before, limit, bytes_max
        )

    async def read_positions(
        self, positions: Sequence[int], bytes_max: int | None = None
    ) -> list[EventRecord]:
        return await self._read(Reader.positions, self._bounds(), tuple(positions), bytes_max)

    async def find_stream(
        self, aggregate_type: str, aggregate_id: str, events_max: int = 0
    ) -> StreamHead | None:
        self._check_usable()
        return await self._finder.find(Sought(aggregate_type, aggregate_id, events_max))

    async def list_streams(
        self, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        return await self._read(
            Reader.list_streams, self._bounds(), aggregate_type, id_prefix, after_id, limit
        )

    async def position_at(self, commit_time_us: int) -> int:
        return await self._read(Reader.position_at, self._bounds(), commit_time_us)

    async def find_command(self, command_id: bytes) -> CommandRecord | None:
        return await self._read(self._answers.find, command_id)

    async def command_ids_between(self, low: bytes, high: bytes, limit: int) -> list[bytes]:
        ids = await newest_ids(self._read, low, high, limit)
        if ids is None:
            return await self._read(self._answers.ids_between, low, high, limit)
        return ids

    async def prune_commands(self, before_us: int, limit: int) -> int:
        writer = self._usable_writer()
        assert not writer.appending, "never beside an append"
        try:
            return await writer.prune(before_us, limit)
        except (sqlite3.Error, OSError) as error:
            raise self._failed(error) from error

    async def close(self) -> None:
        self._unusable = "it is closed"
        if self._writer is not None:
            await self._writer.settle()
        # The writer last: it moves what is left of the write-ahead log, and lets go of the lock.
        for link in self._take_links():
            try:
                await link.close()
            except sqlite3.Error:
                _LOG.exception("a connection to %s was not closed in order", self._path)
        if self._lock is not None:
            self._lock.release()

    def abandon(self) -> None:
        self._unusable = "it was abandoned"
        self._lock = None  # the writing connection's thread lets go of it
        self._finder.abandon()
        for link in self._take_links():
            link.stop()

    async def _open(self) -> LogInfo:
        await asyncio.to_thread(make_directory, self._directory)
        self._lock = await LogLock.take(self._directory / LOCK_FILE)
        await asyncio.to_thread(self._create_if_missing)
        link = await Link.open(self._path, "rw", self._connection)
        self._link = link
        found, gauge = await link.run(self._seal, self._lock)
        writer = LogWriter(link, found, gauge, self._wal_pages_max, self._readers, self._failed)
        for _ in range(self._readers_wanted):
            await self._readers.add(
                self._path, writer.names, self._streams_in_memory_max, self._reader_cache_kib
            )
        self._writer = writer
        return found.info

    def _create_if_missing(self) -> None:
        if not header.exists(self._path):
            schema.create(self._path, self._new_log_id(), self._now_us())

    def _seal(self, connection: JobConnection, lock: LogLock) -> tuple[Found, WalGauge]:
        # The lock is let go on the connection's own thread, after all that it has still to do.
        connection.on_close = lock.release
        found = seal(connection, self._now_us(), self._writer_cache_kib)
        wal = self._path.with_name(FILE + "-wal")
        gauge = WalGauge(wal, schema.PAGE_BYTES)

        def let_go() -> None:
            gauge.close()
            lock.release()

        connection.on_close = let_go
        return found, gauge

    async def _read(
        self, read: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        if self._readers.held:
            await self._readers.wait_in_line()
        self._check_usable()
        try:
            return await self._readers.run(read, *args, **kwargs)
        except sqlite3.Error as error:
            failure = store_error(error)
            raise self._failed(error) if isinstance(failure, StorageFailed) else failure from error

    async def _find_some(self, some: Sequence[Sought]) -> Sequence[Answer]:
        return await self._read(Reader.find_streams, self._bounds(), some)

    def _failed(self, error: Exception) -> StorageFailed:
        """Refuse every call from now on: nobody knows what is on the disk."""
        failure = StorageFailed(f"{type(error).__name__}: {error}")
        self._unusable = str(failure)
        return failure

    def _check_usable(self) -> None:
        if self._unusable is not None:
            raise StorageFailed(self._unusable)

    def _usable_writer(self) -> LogWriter:
        self._check_usable()
        assert self._writer is not None, "open"
        return self._writer

    def _bounds(self) -> Bounds:
        return self._usable_writer().bounds

    def _take_links(self) -> list[Link]:
        links, self._link = [*self._readers.take(), *filter(None, [self._link])], None
        return links


def make_directory(directory: Path) -> None:
    """For this user alone; nothing happens if it is there."""
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True)
        schema.sync_directory(directory.parent)
