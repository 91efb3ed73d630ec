"""The file defends itself, whatever program opens it: nothing of the record can be changed."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.store.logs import write_log

from gesta.store.sqlite import FILE

FROZEN = ["log", "incarnations", "epochs", "names", "streams", "events"]


@pytest.fixture
async def tool(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    """Some other program with the log open, as SQLite's defaults have it."""
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        yield connection


@pytest.mark.parametrize("table", FROZEN)
def test_no_row_is_updated(tool: sqlite3.Connection, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        tool.execute(f"UPDATE {table} SET checksum = checksum")


@pytest.mark.parametrize("table", FROZEN)
def test_no_row_is_deleted(tool: sqlite3.Connection, table: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        tool.execute(f"DELETE FROM {table}")


@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL"])
@pytest.mark.parametrize("table", FROZEN)
def test_no_row_is_replaced(tool: sqlite3.Connection, table: str, verb: str) -> None:
    before = tool.execute(f"SELECT * FROM {table}").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match=f"not the next of {table}"):
        tool.execute(f"{verb} INTO {table} SELECT * FROM {table} ORDER BY rowid DESC LIMIT 1")
    assert tool.execute(f"SELECT * FROM {table}").fetchall() == before


def _insert_event(tool: sqlite3.Connection, position: int, stream: int, version: int) -> None:
    row = (position, stream, version, b"", 1, 1, "{}", b"", 0, 1, *[None] * 3, 1, None, None, 1)
    tool.execute(f"INSERT OR REPLACE INTO events VALUES ({','.join('?' * 17)})", row)


@pytest.mark.parametrize(
    ("position", "stream", "version"),
    [(7, 1, 3), (7, 1, 5), (8, 1, 4), (6, 1, 4), (0, 1, 4), (7, 3, 2), (7, 3, 0)],
)
def test_an_event_is_only_appended_at_the_next_position_and_version(
    tool: sqlite3.Connection, position: int, stream: int, version: int
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="not the next of events"):
        _insert_event(tool, position, stream, version)
    _insert_event(tool, 7, 1, 4)
    _insert_event(tool, 8, 3, 1)


def test_a_stream_is_not_replaced_through_its_name(tool: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="not the next of streams"):
        tool.execute(
            "INSERT OR REPLACE INTO streams "
            "SELECT 3, type_id, aggregate_id, 0, 0 FROM streams LIMIT 1"
        )


def test_a_name_is_not_replaced_through_its_text(tool: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="not the next of names"):
        tool.execute("INSERT OR REPLACE INTO names SELECT 4, kind, name, 0 FROM names LIMIT 1")
