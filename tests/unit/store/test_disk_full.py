"""No room: a clean refusal, after which the store works on."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from tests.contract.samples import PAGE, Author, a_command
from tests.unit.store.failing import failing, sqlite_error

from gesta.store import Batch, SqliteStore, StorageFull
from gesta.store.connection import JobConnection

LARGE = b'"' + b"x" * 50_000 + b'"'


class SmallDisk(JobConnection):
    """SQLite itself says "database or disk is full" beyond so many pages."""

    pages: ClassVar[int] = 0

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        if sql == "BEGIN IMMEDIATE":
            # A count below the present size stands for the present size.
            pages = type(self).pages or 1_000_000
            super().execute(f"PRAGMA max_page_count = {pages}").fetchall()
        return super().execute(sql, parameters)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    SmallDisk.pages = 0
    opened = SqliteStore(tmp_path, connection=SmallDisk)
    await opened.open()
    yield opened
    await opened.close()


async def test_an_append_without_room_leaves_positions_and_numbers_as_they_were(
    store: SqliteStore,
) -> None:
    author = Author(store)
    await author.write("a")
    SmallDisk.pages = 1
    refused = author.batch(["a", "new"], data=LARGE)
    with pytest.raises(StorageFull):
        await store.append(refused)
    assert author.stream("new").number is None
    assert await store.read_log(0, 99, 99, PAGE) == author.written
    assert await store.find_stream("BankAccount", "new") is None
    assert await store.find_command(refused.commands[0].command_id) is None


async def test_the_same_append_succeeds_once_there_is_room(store: SqliteStore) -> None:
    author = Author(store)
    await author.write("a")
    SmallDisk.pages = 1
    batch = author.batch(["a", "new"], data=LARGE)
    for _ in range(3):
        with pytest.raises(StorageFull):
            await store.append(batch)
    SmallDisk.pages = 0
    await author.append(batch)
    await author.write("new", "a")
    assert await store.read_log(0, 99, 99, 1 << 30) == author.written


async def test_a_log_that_was_full_opens_with_what_was_acknowledged(
    store: SqliteStore, tmp_path: Path
) -> None:
    author = Author(store)
    await author.write("a")
    SmallDisk.pages = 1
    with pytest.raises(StorageFull):
        await store.append(author.batch(["a"], data=LARGE))
    await store.close()
    again = SqliteStore(tmp_path)
    assert (await again.open()).head == 1
    assert await again.read_log(0, 99, 99, PAGE) == author.written
    await again.close()


async def test_no_room_at_commit_is_refused_cleanly_too(tmp_path: Path) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, connection=connection)
    await store.open()
    author = Author(store)
    await author.write("a")
    connection.error = sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")
    with pytest.raises(StorageFull):
        await store.append(author.batch(["a"]))
    connection.error = None
    await author.write("a")
    assert await store.read_log(0, 99, 99, PAGE) == author.written
    await store.close()


async def test_pruning_without_room_forgets_nothing_and_may_be_tried_again(
    tmp_path: Path,
) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, connection=connection)
    await store.open()
    old = a_command(b"\0" * 16)
    await store.append(Batch(1, commands=[old]))
    connection.error = sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")
    with pytest.raises(StorageFull):
        await store.prune_commands(1 << 50, 9)
    connection.error = None
    assert await store.find_command(old.command_id) == old
    assert await store.prune_commands(1 << 50, 9) == 1
    await store.close()
