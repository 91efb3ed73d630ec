"""A log written by the first release is read by this one, every row equal."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.golden.write_log import CREATED_US, LINES_FILE, LOG_FILE, lines, write

from gesta.store import Batch, SqliteStore
from gesta.store.sqlite import FILE

HERE = Path(__file__).parent


async def test_the_golden_log_reads_as_it_was_written(tmp_path: Path) -> None:
    shutil.copy(HERE / LOG_FILE, tmp_path / FILE)
    store = SqliteStore(tmp_path)
    info = await store.open()
    assert (info.epoch, info.head) == (2, 42)
    assert info.last_commit_time_us == CREATED_US + 9_000_000
    expected = (HERE / LINES_FILE).read_text().splitlines()
    assert await lines(store, info) == expected
    await store.close()


async def test_the_golden_log_can_be_written_on(tmp_path: Path) -> None:
    shutil.copy(HERE / LOG_FILE, tmp_path / FILE)
    store = SqliteStore(tmp_path)
    await store.open()
    (last,) = await store.read_log_backwards(43, 1, 1)
    found = await store.find_stream(last.aggregate_type, last.aggregate_id)
    assert found is not None
    event = last._replace(position=43, version=found.version + 1)
    await store.append(Batch(event.commit_time_us, [event], [found.stream]))
    assert await store.read_log(42, 43, 1, 1) == [event]
    await store.close()


async def test_what_is_written_today_has_the_rows_of_the_golden_log(tmp_path: Path) -> None:
    await write(tmp_path)
    assert (tmp_path / LINES_FILE).read_text() == (HERE / LINES_FILE).read_text()
    assert _tables(tmp_path / LOG_FILE) == _tables(HERE / LOG_FILE)


def _tables(path: Path) -> dict[str, list[object]]:
    """The schema and all rows, as stored."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        names = [
            name
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        ]
        tables: dict[str, list[object]] = {
            name: connection.execute(f"SELECT * FROM {name}").fetchall() for name in names
        }
        schema = connection.execute("SELECT type, name, sql FROM sqlite_schema").fetchall()
        return {**tables, "schema": schema}
