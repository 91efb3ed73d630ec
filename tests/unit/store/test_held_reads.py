"""Reads without a pause keep the write-ahead log from being begun anew: then they wait for once."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.failing import failing, sqlite_error

from gesta.store import EventRecord, SqliteStore, StorageFailed
from gesta.store.reading import Bounds, Reader
from gesta.store.sqlite import FILE

LIMIT = 50
LARGE = b'"' + b"x" * 20_000 + b'"'


class LongRead:
    """A read of the whole log that is inside its transaction until it is told to end."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._end = Event()
        self._task: asyncio.Task[list[EventRecord]] | None = None
        self.is_inside = asyncio.Event()

    async def begin(self) -> None:
        """Returns once it is inside, or in line."""
        self._task = asyncio.ensure_future(self._run())
        if not self._store._readers.held:
            await self.is_inside.wait()

    async def end(self) -> list[EventRecord]:
        self._end.set()
        assert self._task is not None
        return await self._task

    async def _run(self) -> list[EventRecord]:
        loop = asyncio.get_running_loop()

        def read(reader: Reader, bounds: Bounds) -> list[EventRecord]:
            reader.connection.execute("BEGIN")
            events = reader.log(bounds, 0, bounds.head, 9_999, PAGE << 10)
            loop.call_soon_threadsafe(self.is_inside.set)
            self._end.wait(30)
            reader.connection.execute("COMMIT")
            return events

        return await self._store._read(read, self._store._bounds())


def _holds(store: SqliteStore) -> bool:
    return store._readers.held


def _wal_pages(directory: Path) -> int:
    return (directory / f"{FILE}-wal").stat().st_size // 4096


async def _settled(store: SqliteStore) -> None:
    assert store._writer is not None
    await store._writer.settle()


async def test_reads_without_a_pause_do_not_let_the_write_ahead_log_grow_without_bound(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path, wal_pages_max=LIMIT)
    await store.open()
    author = Author(store)
    await author.write("a")
    inside = LongRead(store)
    await inside.begin()
    for count in range(1, 200):
        following = LongRead(store)  # there is always one inside that began before the last commit
        await following.begin()
        await author.write("a", data=LARGE)
        assert len(await inside.end()) >= count - 2
        inside = following
    assert await inside.end()
    await _settled(store)
    assert _wal_pages(tmp_path) < 6 * LIMIT
    assert await store.read_log(0, 999, 999, PAGE << 10) == author.written
    await store.close()


async def test_a_read_inside_ends_before_the_checkpoint_and_one_in_line_reads_after_it(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path, wal_pages_max=LIMIT)
    await store.open()
    author = Author(store)
    await author.write("a")
    inside, in_line = LongRead(store), LongRead(store)
    await inside.begin()
    while not _holds(store):
        await author.write("a", data=LARGE)
    await author.write("a")  # appends go on
    await in_line.begin()
    assert not in_line.is_inside.is_set()
    assert len(await inside.end()) == 1
    assert await in_line.end() == author.written
    assert not _holds(store)
    await store.close()


async def test_a_checkpoint_that_fails_while_reads_are_held_tells_those_in_line(
    tmp_path: Path,
) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, wal_pages_max=LIMIT, connection=connection)
    await store.open()
    author = Author(store)
    await author.write("a")
    inside = LongRead(store)
    await inside.begin()
    while not _holds(store):
        await author.write("a", data=LARGE)
    connection.error = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
    connection.statement = "PRAGMA wal_checkpoint"
    in_line = asyncio.ensure_future(store.read_log(0, 1, 1, PAGE))
    await inside.end()
    with pytest.raises(StorageFailed, match="disk I/O error"):
        await in_line
    connection.error = None
    await store.close()


async def test_a_store_that_is_closed_meanwhile_refuses_those_in_line(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, wal_pages_max=LIMIT)
    await store.open()
    author = Author(store)
    await author.write("a")
    inside = LongRead(store)
    await inside.begin()
    while not _holds(store):
        await author.write("a", data=LARGE)
    in_line = asyncio.ensure_future(store.read_log(0, 1, 1, PAGE))
    closing_ = asyncio.ensure_future(store.close())
    await inside.end()
    with pytest.raises(StorageFailed, match="closed"):
        await in_line
    await closing_


async def test_a_program_that_reads_the_log_is_not_waited_for_at_every_append(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SqliteStore(tmp_path, wal_pages_max=LIMIT)
    await store.open()
    author = Author(store)
    await author.write("a")
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as tool:
        tool.execute("BEGIN")
        tool.execute("SELECT * FROM events").fetchall()
        while _wal_pages(tmp_path) < 15 * LIMIT:
            await author.write("a", data=LARGE)
            await _settled(store)
    warnings = [each for each in caplog.messages if "another program reads the log" in each]
    assert len(warnings) == 2  # at 4 and at 8 times the limit
    for _ in range(2):
        await author.write("a")
        await _settled(store)
    assert store._writer is not None
    assert store._writer._hold_at_pages == 4 * LIMIT
    await store.close()
