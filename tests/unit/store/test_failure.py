"""Nobody knows what is on the disk: the store stops, and only opening the log anew says."""

import asyncio
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.failing import failing, sqlite_error

from gesta.store import EventStore, SqliteStore, StorageFailed, Stream

IOERR_FSYNC = sqlite3.SQLITE_IOERR_FSYNC

CALLS: list[Callable[[EventStore], Coroutine[Any, Any, object]]] = [
    lambda store: store.read_log(0, 9, 9, PAGE),
    lambda store: store.read_log_backwards(9, 9, PAGE),
    lambda store: store.read_stream(Stream("BankAccount", "a", 1), 0, 9, PAGE),
    lambda store: store.read_stream(Stream("BankAccount", "a"), 0, 9, PAGE),
    lambda store: store.read_stream_backwards(Stream("BankAccount", "a", 1), 9, 9, PAGE),
    lambda store: store.find_stream("BankAccount", "a"),
    lambda store: store.list_streams("BankAccount", "", "", 9),
    lambda store: store.find_command(b"\0" * 16),
    lambda store: store.command_ids_between(b"", b"\xff", 9),
    lambda store: store.position_at(9),
    lambda store: store.prune_commands(9, 9),
    lambda store: store.append(Author(store, head=1).batch(["b"])),
]


@pytest.mark.parametrize("really_done", [True, False])
async def test_after_a_commit_that_failed_every_call_is_refused_and_the_next_start_says(
    tmp_path: Path, really_done: bool
) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, connection=connection)
    await store.open()
    author = Author(store)
    await author.write("a")
    batch = author.batch(["a", "new"])
    connection.error = sqlite_error(IOERR_FSYNC, "disk I/O error")
    connection.really_done = really_done
    with pytest.raises(StorageFailed, match="disk I/O error"):
        await store.append(batch)
    assert author.stream("new").number is None
    connection.error = None
    for call in CALLS:
        with pytest.raises(StorageFailed, match="disk I/O error"):
            await call(store)
    await store.close()

    again = SqliteStore(tmp_path)
    info = await again.open()
    expected = author.written + (batch.events if really_done else [])
    assert info.head == len(expected)
    assert await again.read_log(0, 99, 99, PAGE) == expected
    await again.close()


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT INTO events", "INSERT INTO commands"])
async def test_an_error_before_the_commit_stops_the_store_too(
    tmp_path: Path, statement: str
) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, connection=connection)
    await store.open()
    author = Author(store)
    await author.write("a")
    connection.error = sqlite_error(sqlite3.SQLITE_IOERR_WRITE, "disk I/O error")
    connection.statement = statement
    with pytest.raises(StorageFailed):
        await store.append(author.batch(["a"]))
    with pytest.raises(StorageFailed):
        await store.read_log(0, 9, 9, PAGE)
    await store.close()
    again = SqliteStore(tmp_path)
    assert (await again.open()).head == 1
    await again.close()


@pytest.mark.parametrize(
    "statement", ["PRAGMA journal_mode", "PRAGMA wal_checkpoint", "INSERT INTO epochs", "SELECT"]
)
async def test_a_start_that_fails_closes_everything(tmp_path: Path, statement: str) -> None:
    connection = failing()
    connection.error = sqlite_error(IOERR_FSYNC, "disk I/O error")
    connection.statement = statement
    with pytest.raises(StorageFailed, match="disk I/O error"):
        await SqliteStore(tmp_path, connection=connection).open()
    again = SqliteStore(tmp_path)
    assert (await again.open()).epoch == 1
    await again.close()


async def test_a_directory_that_cannot_be_made_is_a_failure_of_the_storage(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageFailed):
        await SqliteStore(tmp_path / "file" / "data").open()


async def test_a_caller_that_is_cancelled_loses_nothing_but_its_wait(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    author = Author(store)
    batch = author.batch(["a"])
    append = asyncio.ensure_future(store.append(batch))
    await asyncio.sleep(0)
    append.cancel()
    with pytest.raises(asyncio.CancelledError):
        await append
    with pytest.raises(AssertionError, match="one append at a time"):
        await store.append(batch)
    await store.close()
    assert author.stream("a").number == 1
    again = SqliteStore(tmp_path)
    assert (await again.open()).head == 1
    assert await again.read_log(0, 9, 9, PAGE) == batch.events
    await again.close()


async def test_a_cancelled_append_that_fails_shows_at_the_next_call(tmp_path: Path) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, connection=connection)
    await store.open()
    connection.error = sqlite_error(IOERR_FSYNC, "disk I/O error")
    append = asyncio.ensure_future(store.append(Author(store).batch(["a"])))
    await asyncio.sleep(0)
    append.cancel()
    await asyncio.wait([append])
    await store.close()
    with pytest.raises(StorageFailed):
        await store.read_log(0, 9, 9, PAGE)
