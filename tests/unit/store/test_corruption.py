"""G9: a stored value that changed is reported, never served."""

import sqlite3
from pathlib import Path

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.logs import behind_the_back, everything, write_log

from gesta.store import CorruptLog, SqliteStore
from gesta.store.offline import offline
from gesta.store.sqlite import FILE

NUMBERS = {
    "log": ["created_us", "checksum"],
    "incarnations": ["number", "fork_position", "checksum"],
    "epochs": ["number", "started_us", "head", "checksum"],
    "names": ["id", "kind", "checksum"],
    "streams": ["id", "type_id", "slice", "checksum"],
    "events": [
        *("position", "stream_id", "version", "event_type_id", "schema_version"),
        *("more_in_command", "commit_time_us", "occurred_at_us", "principal_id", "checksum"),
    ],
    "commands": ["version", "position", "event_count", "commit_time_us", "checksum"],
}
TEXTS = {
    "names": ["name"],
    "streams": ["aggregate_id"],
    "events": ["data", "metadata", "correlation_id", "causation_id", "traceparent"],
    "commands": ["reply"],
}
BLOBS = {
    "log": ["log_id"],
    "events": ["event_id", "command_id"],
    "commands": ["command_id", "fingerprint"],
}
NULLABLE = ["occurred_at_us", "correlation_id", "causation_id", "traceparent", "metadata"]


def pairs_of(columns: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(table, column) for table, each in columns.items() for column in each]


def last_of(table: str) -> str:
    """Names the last row; of `commands` the one in the middle of the table."""
    if table == "commands":
        return "command_id = (SELECT command_id FROM commands ORDER BY command_id LIMIT 1 OFFSET 3)"
    return f"rowid = (SELECT max(rowid) FROM {table})"


async def _damage_shows(directory: Path, author: Author, change: str) -> None:
    """Some answer is refused, and every other one is right or, by a key now wrong, not found.

    A list of command ids has the damaged ones too.
    """
    before = await everything(directory, author)
    assert not any(isinstance(each, CorruptLog) for each in before)
    with behind_the_back(directory) as connection:
        assert connection.execute(change).rowcount == 1
    after = await everything(directory, author)
    assert any(isinstance(each, CorruptLog) for each in after)
    for was, now in zip(before, after, strict=False):
        assert isinstance(now, CorruptLog) or now in (was, None) or _are_ids_and_more(was, now)


def _are_ids_and_more(was: object, now: object) -> bool:
    return isinstance(was, list) and isinstance(now, list) and set(now) > set(was) > set()


@pytest.mark.parametrize(("table", "column"), pairs_of(NUMBERS))
async def test_a_changed_number_is_reported(tmp_path: Path, table: str, column: str) -> None:
    author = await write_log(tmp_path)
    change = f"UPDATE {table} SET {column} = {column} + 8 WHERE {last_of(table)}"
    await _damage_shows(tmp_path, author, change)


@pytest.mark.parametrize(("table", "column"), pairs_of(TEXTS))
async def test_a_changed_letter_is_reported(tmp_path: Path, table: str, column: str) -> None:
    author = await write_log(tmp_path)
    change = f"UPDATE {table} SET {column} = 'Z' || substr({column}, 2) WHERE {last_of(table)}"
    await _damage_shows(tmp_path, author, change)


@pytest.mark.parametrize(("table", "column"), pairs_of(TEXTS))
async def test_bytes_that_are_no_text_are_reported(tmp_path: Path, table: str, column: str) -> None:
    author = await write_log(tmp_path)
    change = f"UPDATE {table} SET {column} = CAST(x'FFFE41' AS TEXT) WHERE {last_of(table)}"
    await _damage_shows(tmp_path, author, change)


@pytest.mark.parametrize(("table", "column"), pairs_of(BLOBS))
async def test_a_changed_byte_is_reported(tmp_path: Path, table: str, column: str) -> None:
    author = await write_log(tmp_path)
    new = bytes(range(100, 116)).hex()
    change = f"UPDATE {table} SET {column} = x'{new}' WHERE {last_of(table)}"
    await _damage_shows(tmp_path, author, change)


@pytest.mark.parametrize("column", NULLABLE)
async def test_a_value_that_became_null_is_reported(tmp_path: Path, column: str) -> None:
    author = await write_log(tmp_path)
    await _damage_shows(tmp_path, author, f"UPDATE events SET {column} = NULL WHERE position = 3")


@pytest.mark.parametrize("column", [c for c in NULLABLE if c not in ("occurred_at_us", "metadata")])
async def test_an_empty_text_is_not_a_missing_one(tmp_path: Path, column: str) -> None:
    author = await write_log(tmp_path)
    await _damage_shows(tmp_path, author, f"UPDATE events SET {column} = '' WHERE position = 3")


@pytest.mark.parametrize("value", ["NULL", "x'00'", "'7'", "1.5"])
@pytest.mark.parametrize("column", ["version", "event_type_id", "commit_time_us", "stream_id"])
async def test_a_value_of_a_type_that_cannot_be_is_reported(
    tmp_path: Path, column: str, value: str
) -> None:
    author = await write_log(tmp_path)
    with behind_the_back(tmp_path, untyped="events") as connection:
        connection.execute(f"UPDATE events SET {column} = {value} WHERE position = 3")
    (_, page, *_) = await everything(tmp_path, author)
    assert isinstance(page, CorruptLog)
    assert page.position == 3


@pytest.mark.parametrize("column", ["data", "event_id", "command_id"])
async def test_a_payload_that_became_null_is_reported(tmp_path: Path, column: str) -> None:
    author = await write_log(tmp_path)
    with behind_the_back(tmp_path, untyped="events") as connection:
        connection.execute(f"UPDATE events SET {column} = NULL WHERE position = 3")
    (_, page, *_) = await everything(tmp_path, author)
    assert isinstance(page, CorruptLog)
    assert page.position == 3


@pytest.mark.parametrize(("position", "version"), [(1, 1), (3, 2), (4, 2)])
async def test_an_event_that_is_missing_is_reported_with_its_position(
    tmp_path: Path, position: int, version: int
) -> None:
    author = await write_log(tmp_path)
    with behind_the_back(tmp_path) as connection:
        connection.execute("DELETE FROM events WHERE position = ?", (position,))
    store = SqliteStore(tmp_path)
    await store.open()
    aggregate_id = author.written[position - 1].aggregate_id
    found = await store.find_stream("BankAccount", aggregate_id)
    assert found is not None
    with pytest.raises(CorruptLog, match=f"position {position} is missing"):
        await store.read_log(0, 6, 99, PAGE)
    with pytest.raises(CorruptLog, match=f"position {position} is missing"):
        await store.read_log_backwards(7, 99, PAGE)
    with pytest.raises(CorruptLog, match=f"position {position} is missing"):
        await store.read_positions([2, position, 6])
    with pytest.raises(CorruptLog, match=f"version {version} is missing"):
        await store.read_stream(found.stream, 0, 99, PAGE)
    with pytest.raises(CorruptLog, match=f"version {version} is missing"):
        await store.read_stream_backwards(found.stream, 99, 99, PAGE)
    await store.close()


async def test_events_that_were_cut_off_the_end_are_reported_at_start(tmp_path: Path) -> None:
    author = await write_log(tmp_path)
    await everything(tmp_path, author)  # a second epoch, which knows the head
    with behind_the_back(tmp_path) as connection:
        connection.execute("DELETE FROM events WHERE position > 4")
    with pytest.raises(CorruptLog, match="ends at 4, but reached 6"):
        await SqliteStore(tmp_path).open()


@pytest.mark.parametrize("table", ["streams", "events", "commands", "names"])
async def test_a_page_that_sqlite_cannot_make_sense_of_is_corrupt(
    tmp_path: Path, table: str
) -> None:
    author = await write_log(tmp_path)
    with behind_the_back(tmp_path) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = connection.execute(query, (table,)).fetchone()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 64)
    answers = await everything(tmp_path, author)
    assert any(isinstance(each, CorruptLog) for each in answers)


async def test_a_trigger_that_is_gone_is_reported_at_start(tmp_path: Path) -> None:
    await write_log(tmp_path)
    connection = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    connection.execute("DROP TRIGGER events_no_delete")
    connection.close()
    with pytest.raises(CorruptLog, match="CREATE TRIGGER events_no_delete"):
        await SqliteStore(tmp_path).open()


async def test_a_schema_that_is_no_text_any_more_is_reported(tmp_path: Path) -> None:
    await write_log(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"CREATE TABLE events(", b"CREATE \xf5ABLE events("))
    with pytest.raises(CorruptLog):
        await SqliteStore(tmp_path).open()
    with pytest.raises(CorruptLog), offline(tmp_path):
        pass
