"""What a start finds, makes durable and says."""

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from tests.contract.samples import Author, a_command, id_v7
from tests.unit.store.logs import HOUR_US, write_log

from gesta.store import Batch, Incarnation, SqliteStore, StorageFailed
from gesta.store.connection import JobConnection
from gesta.store.rows import checksum
from gesta.store.sqlite import FILE


async def test_a_new_log_is_empty_and_has_an_identity(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, new_log_id=lambda: b"0123456789abcdef")
    info = await store.open()
    assert info.log_id == b"0123456789abcdef"
    assert info.incarnations == (Incarnation(1, 0),)
    assert (info.epoch, info.head, info.last_commit_time_us) == (1, 0, 0)
    await store.close()


async def test_every_start_is_an_epoch_of_the_same_log(tmp_path: Path) -> None:
    await write_log(tmp_path)
    found = []
    for _ in range(3):
        store = SqliteStore(tmp_path)
        found.append(await store.open())
        await store.close()
    assert [each.epoch for each in found] == [2, 3, 4]
    assert {(each.log_id, each.head) for each in found} == {(found[0].log_id, 6)}


async def test_the_last_commit_time_counts_commands_without_events(tmp_path: Path) -> None:
    await write_log(tmp_path)
    store = SqliteStore(tmp_path)
    assert (await store.open()).last_commit_time_us == 3 * HOUR_US
    quiet = a_command(id_v7(1, 1), position=6, commit_time_us=4 * HOUR_US)
    await store.append(Batch(4 * HOUR_US, commands=[quiet]))
    await store.close()
    store = SqliteStore(tmp_path)
    assert (await store.open()).last_commit_time_us == 4 * HOUR_US
    author = Author(store, head=6)
    await author.write("new", commit_time_us=5 * HOUR_US)
    await store.close()
    store = SqliteStore(tmp_path)
    assert (await store.open()).last_commit_time_us == 5 * HOUR_US
    await store.close()


async def test_a_restore_shows_as_a_further_incarnation(tmp_path: Path) -> None:
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        row = (2, 4)
        connection.execute("INSERT INTO incarnations VALUES (?, ?, ?)", (*row, checksum(row)))
    store = SqliteStore(tmp_path)
    assert (await store.open()).incarnations == (Incarnation(1, 0), Incarnation(2, 4))
    await store.close()


async def test_after_open_nothing_is_left_in_the_write_ahead_log_but_the_new_epoch(
    tmp_path: Path,
) -> None:
    statements: list[str] = []

    class Traced(JobConnection):
        def execute(self, sql: Any, parameters: Any = (), /) -> Any:
            if isinstance(sql, str):
                statements.append(sql)
            return super().execute(sql, parameters)

    await write_log(tmp_path)
    store = SqliteStore(tmp_path, connection=Traced)
    await store.open()
    order = [
        index
        for wanted in ("synchronous = FULL", "wal_checkpoint(TRUNCATE)", "INSERT INTO epochs")
        for index, sql in enumerate(statements)
        if wanted in sql
    ]
    assert order == sorted(order)
    assert len(order) == 3
    assert (tmp_path / f"{FILE}-wal").stat().st_size < 4 * 4096
    await store.close()


async def test_a_log_that_another_program_is_reading_is_not_opened(tmp_path: Path) -> None:
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as tool:
        tool.execute("PRAGMA wal_autocheckpoint = 0")
        tool.execute("BEGIN")
        tool.execute("SELECT count(*) FROM events").fetchall()
        with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
            other.execute("PRAGMA wal_autocheckpoint = 0")
            other.execute("CREATE TABLE foreign_table(x)")
        store = SqliteStore(tmp_path, connection=_Impatient)
        with pytest.raises(StorageFailed, match="another program has the log open"):
            await store.open()


class _Impatient(JobConnection):
    """Waits for nobody, so that the test need not."""

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        if sql == "PRAGMA wal_checkpoint(TRUNCATE)":
            super().execute("PRAGMA busy_timeout = 0")
        return super().execute(sql, parameters)


@pytest.mark.parametrize(
    ("version", "is_affected"),
    [
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 0), False),
    ],
)
async def test_a_version_of_sqlite_with_the_wal_reset_bug_is_warned_of(
    tmp_path: Path,
    version: tuple[int, int, int],
    is_affected: bool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    store = SqliteStore(tmp_path)
    with caplog.at_level(logging.WARNING, "gesta.store"):
        await store.open()
    await store.close()
    assert ("WAL-reset bug" in caplog.text) is is_affected


def test_aiosqlite_never_logs_payloads() -> None:
    assert not logging.getLogger("aiosqlite").isEnabledFor(logging.DEBUG)


@pytest.mark.parametrize("limit", ["readers", "wal_pages_max", "streams_in_memory_max"])
def test_a_limit_below_one_is_refused(tmp_path: Path, limit: str) -> None:
    with pytest.raises(ValueError, match="1 at least"):
        SqliteStore(tmp_path, **{limit: 0})  # type: ignore[arg-type]


async def test_a_reader_forgets_streams_beyond_its_limit_and_reads_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, readers=1, streams_in_memory_max=3)
    await store.open()
    author = Author(store)
    await author.write(*(f"s{n % 10}" for n in range(40)))
    for _ in range(2):
        assert await store.read_log(0, 40, 40, 1 << 20) == author.written
    await store.close()
