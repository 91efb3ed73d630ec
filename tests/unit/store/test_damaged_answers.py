"""A damaged answer to a command stands for itself alone; nothing else stops or is forgotten."""

import sqlite3
from pathlib import Path

import pytest
from tests.contract.samples import a_command, id_v7
from tests.unit.store.failing import failing, sqlite_error
from tests.unit.store.logs import HOUR_US, behind_the_back, write_log

from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.store import Batch, CorruptLog, SqliteStore

ALL = (b"", b"\xff" * 17, 99)
COLUMNS = {
    "fingerprint": "x'00'",
    "version": "77",
    "position": "5",
    "event_count": "0",
    "commit_time_us": "1",
    "reply": "'no'",
    "checksum": "7",
}


async def _log_of(directory: Path, *commands: tuple[bytes, int]) -> None:
    """A closed log of answers without events: their ids and commit times."""
    store = SqliteStore(directory)
    await store.open()
    answers = [a_command(each, commit_time_us=time) for each, time in commands]
    await store.append(Batch(max(time for _, time in commands), commands=answers))
    await store.close()


def _change(directory: Path, command_id: bytes, change: str) -> None:
    with behind_the_back(directory) as connection:
        sql = f"UPDATE commands SET {change} WHERE command_id = ?"
        assert connection.execute(sql, (command_id,)).rowcount == 1


@pytest.mark.parametrize("column", COLUMNS)
async def test_who_asks_for_a_damaged_answer_alone_is_refused(
    tmp_path: Path, column: str, caplog: pytest.LogCaptureFixture
) -> None:
    author = await write_log(tmp_path)
    ids = [each.command_id for each in author.written]
    _change(tmp_path, ids[2], f"{column} = {COLUMNS[column]}")
    store = SqliteStore(tmp_path)
    await store.open()
    assert set(await store.command_ids_between(*ALL)) == {id_v7(9, 9), *ids}
    assert f"the first that of command {ids[2].hex()}" in caplog.text
    with pytest.raises(CorruptLog, match="does not match its checksum"):
        await store.find_command(ids[2])
    for each in [*ids[:2], *ids[3:]]:
        assert await store.find_command(each) is not None
    await store.close()


@pytest.mark.parametrize("column", COLUMNS)
async def test_a_start_passes_over_damaged_answers_without_events(
    tmp_path: Path, column: str
) -> None:
    old, newest = id_v7(1, 1), id_v7(2, 2)
    await _log_of(tmp_path, (old, 4 * HOUR_US), (newest, 5 * HOUR_US))
    _change(tmp_path, newest, f"{column} = {COLUMNS[column]}")
    store = SqliteStore(tmp_path)
    engine = await Engine.open(store, Catalog.of(), lambda *_: b"")
    assert engine.log.last_commit_time_us in (4 * HOUR_US, 5 * HOUR_US)
    await engine.close()


async def test_a_start_goes_by_the_newest_answer_that_is_intact(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await _log_of(tmp_path, (id_v7(1, 1), 4 * HOUR_US), (id_v7(2, 2), 5 * HOUR_US))
    _change(tmp_path, id_v7(2, 2), f"commit_time_us = {1 << 60}")
    store = SqliteStore(tmp_path)
    assert (await store.open()).last_commit_time_us == 4 * HOUR_US
    assert f"the answer to command {id_v7(2, 2).hex()} is damaged" in caplog.text
    await store.close()


async def test_a_command_whose_answer_stands_under_a_damaged_id_is_not_taken_for_new(
    tmp_path: Path,
) -> None:
    author = await write_log(tmp_path)
    lost = author.written[2].command_id
    _change(tmp_path, lost, f"command_id = x'{bytes(range(100, 116)).hex()}'")
    store = SqliteStore(tmp_path)
    await store.open()
    assert lost in await store.command_ids_between(*ALL)
    with pytest.raises(CorruptLog, match="under a damaged id"):
        await store.find_command(lost)
    await store.close()


async def test_ids_of_damaged_answers_keep_to_the_bounds_and_the_limit(tmp_path: Path) -> None:
    author = await write_log(tmp_path)
    ids = [each.command_id for each in author.written]
    _change(tmp_path, ids[2], "command_id = x'FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF'")
    _change(tmp_path, ids[3], "command_id = x'FFFF'")  # no id at all
    store = SqliteStore(tmp_path)
    await store.open()
    whole = [b"\xff" * 16, *reversed(ids), id_v7(9, 9)]
    assert await store.command_ids_between(*ALL) == whole
    assert await store.command_ids_between(b"", b"\xff" * 17, 3) == [b"\xff" * 16, *ids[:3:-1]]
    assert await store.command_ids_between(ids[3], b"\xff" * 16, 9) == ids[:2:-1]
    await store.close()


@pytest.mark.parametrize("column", COLUMNS)
async def test_pruning_keeps_damaged_answers_and_forgets_the_rest(
    tmp_path: Path, column: str
) -> None:
    author = await write_log(tmp_path)
    ids = [each.command_id for each in author.written]
    _change(tmp_path, ids[2], f"{column} = {COLUMNS[column]}")
    store = SqliteStore(tmp_path)
    await store.open()
    assert await store.prune_commands(9 * HOUR_US, 99) == 6
    assert await store.prune_commands(9 * HOUR_US, 99) == 0
    with pytest.raises(CorruptLog):
        await store.find_command(ids[2])
    await store.close()


async def test_a_commit_time_that_shrank_does_not_have_an_answer_forgotten_early(
    tmp_path: Path,
) -> None:
    await _log_of(tmp_path, (id_v7(1, 1), 9 * HOUR_US), (b"\x99" * 16, 9 * HOUR_US))
    for each in (id_v7(1, 1), b"\x99" * 16):
        _change(tmp_path, each, "commit_time_us = 1")
    store = SqliteStore(tmp_path)
    await store.open()
    assert await store.prune_commands(8 * HOUR_US, 99) == 0
    assert len(await store.command_ids_between(*ALL)) == 2
    await store.close()


async def test_pruning_gets_past_more_damaged_answers_than_it_looks_at_in_one_call(
    tmp_path: Path,
) -> None:
    ids = [id_v7(1_000 * n, n) for n in range(1, 40)]
    await _log_of(tmp_path, *((each, 1) for each in ids))
    for each in ids[:20]:
        _change(tmp_path, each, "version = 9")
    store = SqliteStore(tmp_path)
    await store.open()
    forgotten = [await store.prune_commands(HOUR_US, 4) for _ in range(20)]
    assert sum(forgotten) == 19
    assert forgotten[-1] == 0
    assert await store.command_ids_between(*ALL) == ids[19::-1]
    await store.close()


async def test_pruning_that_meets_a_page_without_sense_forgets_nothing_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    connection = failing()
    store = SqliteStore(tmp_path, connection=connection)
    await store.open()
    old = a_command(id_v7(1, 1), commit_time_us=1)
    await store.append(Batch(1, commands=[old]))
    connection.statement = "COMMIT"
    connection.error = sqlite_error(
        sqlite3.SQLITE_CORRUPT_INDEX, "database disk image is malformed"
    )
    assert await store.prune_commands(HOUR_US, 9) == 0
    assert "old answers cannot be removed" in caplog.text
    connection.error = None
    assert await store.find_command(old.command_id) == old
    assert await store.prune_commands(HOUR_US, 9) == 1
    await store.close()
