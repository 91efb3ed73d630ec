"""The write-ahead log is moved into the database between appends, never within one."""

import sqlite3
from pathlib import Path

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.failing import failing, sqlite_error

from gesta.store import SqliteStore, StorageFailed
from gesta.store.sqlite import FILE
from gesta.store.wal import WalGauge, committed


async def _settled(store: SqliteStore) -> None:
    """Wait until a checkpoint that was begun has ended."""
    assert store._writer is not None
    await store._writer.settle()


def _wal_pages(path: Path) -> int:
    return path.stat().st_size // 4096


async def test_the_write_ahead_log_stays_near_its_limit(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, wal_pages_max=100)
    await store.open()
    author = Author(store)
    for _ in range(100):
        await author.write(*"abcdefgh", data=b'"' + b"x" * 1_000 + b'"')
        await _settled(store)
    assert 100 <= _wal_pages(tmp_path / f"{FILE}-wal") < 150
    assert _wal_pages(tmp_path / FILE) > 200
    assert await store.read_log(0, 999, 999, PAGE) == author.written
    await store.close()


async def test_below_its_limit_nothing_is_moved(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, wal_pages_max=4_000)
    await store.open()
    size = _wal_pages(tmp_path / FILE)
    author = Author(store)
    for _ in range(20):
        await author.write(*"abcdefgh")
        await _settled(store)
    assert _wal_pages(tmp_path / FILE) == size
    await store.close()


def test_the_gauge_counts_frames_since_the_log_was_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "db"
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("CREATE TABLE t(x)")
    wal = tmp_path / "db-wal"
    frames = (wal.stat().st_size - 32) // (24 + 4096)
    gauge = WalGauge(wal, 4096)
    assert (gauge.has_reached(frames), gauge.has_reached(frames + 1)) == (True, False)
    connection.execute("INSERT INTO t VALUES (1)")
    assert (gauge.has_reached(frames), gauge.has_reached(frames + 1)) == (True, True)
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
    connection.execute("INSERT INTO t VALUES (2)")  # begins the log anew, over the old frames
    assert (gauge.has_reached(frames), gauge.has_reached(frames + 1)) == (False, False)
    assert len(committed(wal).pages) == 1
    gauge.close()
    gauge.close()
    assert not gauge.has_reached(1)
    connection.close()


async def test_a_checkpoint_without_room_is_tried_again_later(tmp_path: Path) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, wal_pages_max=1, connection=connection)
    await store.open()
    size = _wal_pages(tmp_path / FILE)
    author = Author(store)
    connection.error = sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")
    connection.statement = "PRAGMA wal_checkpoint"
    large = b'"' + b"x" * 50_000 + b'"'
    await author.write("a", data=large)
    await _settled(store)
    assert _wal_pages(tmp_path / FILE) == size
    connection.error = None
    await author.write("a")
    await _settled(store)
    assert _wal_pages(tmp_path / FILE) > size
    await store.close()


async def test_a_checkpoint_that_fails_stops_the_store(tmp_path: Path) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, wal_pages_max=1, connection=connection)
    await store.open()
    author = Author(store)
    connection.error = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
    connection.statement = "PRAGMA wal_checkpoint"
    await author.write("a")
    await _settled(store)
    with pytest.raises(StorageFailed, match="disk I/O error"):
        await store.read_log(0, 9, 9, PAGE)
    connection.error = None
    await store.close()
