"""`verify` reads the whole log and finds what no single read can see."""

import shutil
import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest
from tests.contract.samples import Author, a_command, id_v7
from tests.unit.store.logs import behind_the_back, write_log
from tests.unit.store.test_corruption import BLOBS, NUMBERS, TEXTS, last_of, pairs_of

from gesta.store import (
    Batch,
    CorruptLog,
    EventRecord,
    Finding,
    LogLocked,
    NotALog,
    SqliteStore,
    StorageFailed,
    checksum,
    verify,
)
from gesta.store.sqlite import FILE


def _change(directory: Path, sql: str) -> None:
    with behind_the_back(directory) as connection:
        assert connection.execute(sql).rowcount >= 1


def _details(directory: Path) -> list[str]:
    return [each.detail for each in verify(directory)]


async def _write_altered(directory: Path, **fields: object) -> EventRecord:
    """A log whose fourth event was written, checksum and all, with other values."""
    author = await write_log(directory)
    event = author.written[3]._replace(**fields)  # type: ignore[arg-type]
    columns = ", ".join(f"{name} = {value!r}" for name, value in fields.items())
    _change(
        directory, f"UPDATE events SET {columns}, checksum = {checksum(event)} WHERE position = 4"
    )
    return event


async def test_nothing_is_found_in_a_log_that_is_whole(tmp_path: Path) -> None:
    await write_log(tmp_path)
    assert list(verify(tmp_path)) == []


async def test_nothing_is_found_in_an_empty_log(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    await store.close()
    assert list(verify(tmp_path)) == []


def test_nothing_is_found_in_the_golden_log(tmp_path: Path) -> None:
    shutil.copy(Path(__file__).parents[2] / "golden" / "log-format-1.sqlite3", tmp_path / FILE)
    assert list(verify(tmp_path)) == []


async def test_a_log_of_many_streams_and_forgotten_answers_is_whole(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    author = Author(store)
    for time in range(1, 40):
        await author.write(*(f"a-{n}" for n in range(time)), commit_time_us=time)
    await store.prune_commands(20, 150)
    await store.close()
    assert list(verify(tmp_path)) == []


@pytest.mark.parametrize(("table", "column"), pairs_of(NUMBERS))
async def test_a_changed_number_is_found(tmp_path: Path, table: str, column: str) -> None:
    await write_log(tmp_path)
    _change(tmp_path, f"UPDATE {table} SET {column} = {column} + 8 WHERE {last_of(table)}")
    assert table in {each.subject for each in verify(tmp_path)}


@pytest.mark.parametrize(("table", "column"), pairs_of(TEXTS))
async def test_a_changed_letter_is_found(tmp_path: Path, table: str, column: str) -> None:
    await write_log(tmp_path)
    for value in (f"'Z' || substr({column}, 2)", "CAST(x'FFFE41' AS TEXT)"):
        _change(tmp_path, f"UPDATE {table} SET {column} = {value} WHERE {last_of(table)}")
        assert table in {each.subject for each in verify(tmp_path)}


@pytest.mark.parametrize(("table", "column"), pairs_of(BLOBS))
async def test_a_changed_byte_is_found(tmp_path: Path, table: str, column: str) -> None:
    await write_log(tmp_path)
    new = bytes(range(100, 116)).hex()
    _change(tmp_path, f"UPDATE {table} SET {column} = x'{new}' WHERE {last_of(table)}")
    assert table in {each.subject for each in verify(tmp_path)}


async def test_every_damaged_event_is_found_with_its_position(tmp_path: Path) -> None:
    await write_log(tmp_path)
    _change(tmp_path, "UPDATE events SET data = '{}' WHERE position IN (2, 5)")
    assert [(each.subject, each.position) for each in verify(tmp_path)] == [
        ("events", 2),
        ("events", 5),
    ]


@pytest.mark.parametrize(
    ("positions", "found"), [("5", "number 5 is"), ("3, 4", "numbers 3 to 4 are")]
)
async def test_events_that_are_gone_from_the_middle_or_the_end_of_streams_are_found(
    tmp_path: Path, positions: str, found: str
) -> None:
    await write_log(tmp_path)
    _change(tmp_path, f"DELETE FROM events WHERE position IN ({positions})")
    first = int(positions[0])
    assert Finding("events", f"{found} missing", first) in list(verify(tmp_path))
    assert any("which are not there" in each for each in _details(tmp_path))


async def test_a_last_event_that_is_gone_is_missed_by_the_answer_that_points_to_it(
    tmp_path: Path,
) -> None:
    author = await write_log(tmp_path)
    _change(tmp_path, "DELETE FROM events WHERE position = 6")
    command = author.written[5].command_id.hex()
    findings = [each for each in verify(tmp_path) if command in each.detail]
    assert [(each.subject, each.position) for each in findings] == [("commands", 6)]


async def test_a_last_event_that_is_gone_is_missed_by_the_epoch_after_it(tmp_path: Path) -> None:
    await write_log(tmp_path)
    store = SqliteStore(tmp_path)
    await store.open()
    await store.close()
    _change(tmp_path, "DELETE FROM commands")
    _change(tmp_path, "DELETE FROM events WHERE position = 6")
    assert list(verify(tmp_path)) == [
        Finding("epochs", "the log ends at 5, but reached 6 before", 6)
    ]


async def test_a_stream_without_its_row_is_found(tmp_path: Path) -> None:
    await write_log(tmp_path)
    _change(tmp_path, "DELETE FROM streams WHERE id = 1")
    assert "number 1 is missing" in _details(tmp_path)
    assert [each.position for each in verify(tmp_path) if each.subject == "events"] == [1, 3, 5]


async def test_a_last_stream_without_its_row_is_found(tmp_path: Path) -> None:
    await write_log(tmp_path)
    _change(tmp_path, "DELETE FROM streams WHERE id = 2")
    assert [each.position for each in verify(tmp_path)] == [2, 4, 6]


async def test_a_stream_without_events_is_found(tmp_path: Path) -> None:
    await write_log(tmp_path)
    _change(tmp_path, "DELETE FROM events WHERE stream_id = 2")
    assert "stream 2 has no events" in _details(tmp_path)


async def test_versions_that_skip_are_found_though_every_event_is_as_it_was_written(
    tmp_path: Path,
) -> None:
    await _write_altered(tmp_path, version=7)
    assert _details(tmp_path) == ["versions of stream 2 are missing: it has 3, from 1 to 7"]


async def test_a_commit_time_that_runs_backwards_is_found(tmp_path: Path) -> None:
    await _write_altered(tmp_path, commit_time_us=1)
    assert list(verify(tmp_path)) == [
        Finding("events", "its commit time is before that of the last event", 4)
    ]


async def test_a_command_that_goes_on_into_another_is_found(tmp_path: Path) -> None:
    await _write_altered(tmp_path, more_in_command=True)
    assert list(verify(tmp_path)) == [
        Finding("events", "the command of the last event is not complete", 5)
    ]


async def test_commands_that_were_never_completed_are_found(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    author = Author(store)
    for aggregate_id in ("a", "b"):
        batch = author.batch([aggregate_id])
        batch.events[0] = batch.events[0]._replace(more_in_command=True)
        await author.append(batch)
    await store.close()
    assert list(verify(tmp_path)) == [
        Finding("events", "the command of the last event is not complete", 2),
        Finding("events", "the last command is not complete", 2),
    ]


async def test_an_answer_that_points_beyond_the_log_is_found(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    await store.append(Batch(1, commands=[a_command(id_v7(0, 1), position=1)]))
    await store.close()
    (found,) = verify(tmp_path)
    assert (found.subject, found.position) == ("commands", 1)


async def test_a_stream_of_the_wrong_slice_is_found(tmp_path: Path) -> None:
    await write_log(tmp_path)
    new = checksum((1, "BankAccount", "a-1", 1023))
    _change(tmp_path, f"UPDATE streams SET slice = 1023, checksum = {new} WHERE id = 1")
    assert list(verify(tmp_path)) == [Finding("streams", "stream 1 is not of slice 1023")]


async def test_an_index_without_one_of_its_rows_is_found(tmp_path: Path) -> None:
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        index = "sqlite_autoindex_events_1"
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = connection.execute(query, (index,)).fetchone()
    with (tmp_path / FILE).open("r+b") as file:  # one cell less in the leaf
        file.seek((page - 1) * 4096 + 3)
        cells = int.from_bytes(file.read(2), "big")
        file.seek((page - 1) * 4096 + 3)
        file.write((cells - 1).to_bytes(2, "big"))
    assert any("missing from index" in each for each in _details(tmp_path))


@pytest.mark.parametrize("table", ["streams", "events", "commands", "names", "epochs", "log"])
async def test_a_page_without_sense_does_not_end_the_search(tmp_path: Path, table: str) -> None:
    await write_log(tmp_path)
    _change(tmp_path, "UPDATE incarnations SET fork_position = 3")
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        (page,) = connection.execute(query, (table,)).fetchone()
    with (tmp_path / FILE).open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xff" * 64)
    found = list(verify(tmp_path))
    assert any("cannot be read any further" in each.detail for each in found)
    assert Finding("incarnations", "incarnation 1 does not match its checksum") in found


async def test_a_trigger_that_is_gone_is_found(tmp_path: Path) -> None:
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("DROP TRIGGER events_no_delete")
    assert _details(tmp_path) == [
        "the schema lacks: CREATE TRIGGER events_no_delete BEFORE DELETE ON events"
    ]


async def test_what_is_only_in_the_write_ahead_log_is_read_too(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "live")
    await store.open()
    await Author(store).write(*"abcabc")
    (tmp_path / "copy").mkdir()
    for suffix in ("", "-wal"):  # as after a crash
        shutil.copy(tmp_path / "live" / f"{FILE}{suffix}", tmp_path / "copy")
    await store.close()
    log = (tmp_path / "copy" / FILE).read_bytes()
    seen: dict[str, int] = {}
    assert list(verify(tmp_path / "copy", lambda table, done, _: seen.update({table: done}))) == []
    assert seen["events"] == 6
    assert (tmp_path / "copy" / FILE).read_bytes() == log  # a writer would move it there


async def test_progress_ends_at_what_there_is(tmp_path: Path) -> None:
    await write_log(tmp_path)
    seen: dict[str, list[tuple[int, int]]] = {}
    list(verify(tmp_path, lambda table, *counts: seen.setdefault(table, []).append(counts)))
    pages = (tmp_path / FILE).stat().st_size // 4096
    assert seen == {
        "file": [(0, pages), (pages, pages)],
        "streams": [(0, 2), (2, 2)],
        "events": [(0, 6), (6, 6)],
        "commands": [(0, 7), (7, 7)],
    }


async def test_the_log_is_left_as_it_is(tmp_path: Path) -> None:
    await write_log(tmp_path)
    before = sha256((tmp_path / FILE).read_bytes()).digest()
    list(verify(tmp_path))
    assert sha256((tmp_path / FILE).read_bytes()).digest() == before
    store = SqliteStore(tmp_path)
    assert (await store.open()).head == 6
    await store.close()


async def test_a_log_that_a_server_has_is_refused_and_one_that_is_verified_is_locked(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    with pytest.raises(LogLocked):
        next(verify(tmp_path))
    await store.close()
    _change(tmp_path, "UPDATE log SET created_us = 1")
    findings = verify(tmp_path)
    next(findings)
    with pytest.raises(LogLocked):
        await SqliteStore(tmp_path).open()
    findings.close()
    with pytest.raises(StopIteration):
        next(findings)
    with pytest.raises(CorruptLog, match="identity"):
        await SqliteStore(tmp_path).open()


async def test_what_is_no_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotALog, match="there is no log"):
        next(verify(tmp_path))
    assert list(tmp_path.iterdir()) == []
    (tmp_path / FILE).write_bytes(b"something else" * 100)
    with pytest.raises(NotALog, match="not an SQLite database"):
        next(verify(tmp_path))


async def test_a_lock_that_cannot_be_taken_is_told(tmp_path: Path) -> None:
    await write_log(tmp_path)
    (tmp_path / "log.lock").unlink()
    (tmp_path / "log.lock").mkdir()
    with pytest.raises(StorageFailed, match=r"log\.lock"):
        next(verify(tmp_path))


async def test_a_column_that_is_called_nothing_readable_is_a_finding(tmp_path: Path) -> None:
    await write_log(tmp_path)
    path = tmp_path / FILE
    path.write_bytes(path.read_bytes().replace(b"fork_position", b"fo\x8ek_position"))
    assert "incarnations" in {each.subject for each in verify(tmp_path)}


async def test_an_epoch_without_a_head_is_a_finding(tmp_path: Path) -> None:
    await write_log(tmp_path)
    with behind_the_back(tmp_path, untyped="epochs") as connection:
        connection.execute("UPDATE epochs SET head = NULL")
    assert "epochs" in {each.subject for each in verify(tmp_path)}
