"""A log is read without a server, and is afterwards what it was before."""

from pathlib import Path

import pytest
from tests.contract.samples import Author
from tests.unit.store.logs import behind_the_back, write_killed_log, write_log

from gesta.store import CorruptLog, EventRecord, LogLocked, NotALog, SqliteStore
from gesta.store.offline import OfflineLog, offline
from gesta.store.sqlite import FILE, LOCK_FILE


def files(directory: Path) -> dict[str, bytes]:
    """All but the name of the lock's holder, who is somebody else each time."""
    return {each.name: each.read_bytes() for each in directory.iterdir() if each.name != LOCK_FILE}


def read(directory: Path) -> dict[str, list[EventRecord]]:
    with offline(directory) as connection:
        log = OfflineLog(connection)
        return {stream.aggregate_id: list(log.events(stream)) for stream in log.streams()}


def by_stream(author: Author) -> dict[str, list[EventRecord]]:
    return {
        name: [each for each in author.written if each.aggregate_id == name]
        for _, name in author.streams
    }


async def test_every_stream_is_read_with_all_its_events_and_nothing_changes(
    tmp_path: Path,
) -> None:
    author = await write_log(tmp_path)
    before = files(tmp_path)
    assert read(tmp_path) == by_stream(author)
    assert files(tmp_path) == before


async def test_streams_and_events_of_many_pages_come_once_each_and_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesta.store.offline._PAGE_STREAMS", 2)
    monkeypatch.setattr("gesta.store.offline._PAGE_EVENTS", 3)
    store = SqliteStore(tmp_path)
    await store.open()
    author = Author(store)
    await author.write(*"edcba" * 7)
    await store.close()
    found = read(tmp_path)
    assert list(found) == list("edcba")
    assert found == by_stream(author)


async def test_what_a_killed_server_left_in_the_write_ahead_log_is_read_and_stays_there(
    tmp_path: Path,
) -> None:
    left = tmp_path / "left"
    author = await write_killed_log(left)
    before = files(left)
    assert read(left) == by_stream(author)
    after = files(left)
    assert {name: after[name] for name in before} == before
    again = SqliteStore(left)
    assert (await again.open()).head == 6
    await again.close()


async def test_a_log_and_its_reader_have_it_one_at_a_time(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    with pytest.raises(LogLocked), offline(tmp_path):
        raise AssertionError
    await store.close()
    with offline(tmp_path):
        other = SqliteStore(tmp_path)
        with pytest.raises(LogLocked):
            await other.open()
    await other.open()
    await other.close()


@pytest.mark.parametrize("content", [None, b"", b"not a database", bytes(200)])
def test_what_is_no_log_is_refused_and_left_alone(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(NotALog), offline(tmp_path):
        raise AssertionError
    assert files(tmp_path) == ({} if content is None else {FILE: content})
    with pytest.raises(NotALog), offline(tmp_path / "nowhere"):
        raise AssertionError


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE events SET data = '{}' WHERE position = 3",
        "DELETE FROM events WHERE position = 1",
        "DELETE FROM events WHERE position = 4",
        "UPDATE streams SET aggregate_id = 'a-3' WHERE id = 2",
        "DELETE FROM log",
    ],
)
async def test_damage_is_an_error(tmp_path: Path, damage: str) -> None:
    await write_log(tmp_path)
    with behind_the_back(tmp_path) as connection:
        connection.execute(damage)
    with pytest.raises(CorruptLog):
        read(tmp_path)
