"""Starts and ends: again in the same process, where they cannot be, and on what is no sound log."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.history.history import History
from tests.history.recording import Recorder
from tests.integration.edge.hosting import server_on
from tests.integration.edge.process import running
from tests.integration.faults.load import add, loaded, verify
from tests.integration.faults.server import lasting_address, refused
from tests.unit.store.logs import behind_the_back

from gesta.client import CorruptEvent, Done, connect
from gesta.server.config import ConfigError
from gesta.store.snapshots_sqlite import FILE as SNAPSHOTS
from gesta.store.sqlite import FILE, LOCK_FILE

DATA_LOSS, NOT_A_LOG, CANNOT_LISTEN = 8, 65, 69


async def test_servers_one_after_the_other_in_one_process_leave_nothing_open(
    tmp_path: Path,
) -> None:
    address = lasting_address()
    history = History()
    for turn in ("first ", "second "):
        async with server_on(data=str(tmp_path), listen=address), connect(address) as client:
            recorder = Recorder(client, history)
            async with loaded(recorder, turn) as load:
                await load.until(100)
            await verify(recorder)
            assert load.errors == []
            assert _open_files(tmp_path)
        assert _open_files(tmp_path) == []


async def test_a_server_that_was_stopped_is_not_started_again() -> None:
    server = server_on()
    async with server:
        pass
    with pytest.raises(AssertionError, match="make another"):
        await server.start()


async def test_a_port_that_another_server_has_leaves_the_data_as_it_was(tmp_path: Path) -> None:
    async with running(tmp_path / "one") as one:
        code, said = await refused(tmp_path / "two", "--listen", one.address)
        assert (code, one.address in said) == (CANNOT_LISTEN, True)
        assert not (tmp_path / "two" / "data").exists()
        late = server_on(data=str(tmp_path / "two"), listen=one.address)
        with pytest.raises(ConfigError, match="in use"):
            await late.start()
        await late.stop()
        assert not (tmp_path / "two" / "data").exists()


def _newer_format(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1000")


def _of_another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE theirs (something)")


def _no_database(path: Path) -> None:
    path.write_bytes(b"Dear diary\n" * 1_000)


def _cut_off(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 4_096)


def _unguarded(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TRIGGER events_no_delete")


@pytest.mark.parametrize(
    ("damage", "code", "says"),
    [
        (_newer_format, NOT_A_LOG, "has format 1000"),
        (_of_another_program, NOT_A_LOG, "another program"),
        (_no_database, NOT_A_LOG, "not an SQLite database"),
        (_cut_off, NOT_A_LOG, "truncated"),
        (_unguarded, DATA_LOSS, "events_no_delete"),
    ],
)
async def test_what_is_no_sound_log_is_not_served_and_stays_as_it_is(
    tmp_path: Path, damage: Callable[[Path], None], code: int, says: str
) -> None:
    await _a_hundred_events(tmp_path)
    damage(tmp_path / "data" / FILE)
    before = _files(tmp_path / "data")
    ended, said = await refused(tmp_path)
    assert (ended, said.count("Traceback")) == (code, 0)
    assert says in said.splitlines()[-1]
    if code == NOT_A_LOG:
        assert _files(tmp_path / "data") == before


async def test_one_damaged_event_is_never_served_and_all_else_goes_on(tmp_path: Path) -> None:
    history = await _a_hundred_events(tmp_path)
    with behind_the_back(tmp_path / "data") as connection:
        connection.execute("UPDATE events SET data = replace(data, '1', '2') WHERE position = 50")
    # With its snapshot the aggregate would go on: what the damaged event did to it is in there.
    (tmp_path / "data" / SNAPSHOTS).unlink(missing_ok=True)
    async with running(tmp_path) as server, connect(server.address) as client:
        recorder = Recorder(client, history)
        seen = history.subscriber()
        async with client.subscribe() as subscription:
            with pytest.raises(CorruptEvent) as told:
                await recorder.follow(subscription, seen)
        assert told.value.position == 50
        assert [event.position for event in seen.events] == list(range(1, len(seen.events) + 1))
        assert seen.position < 50
        with pytest.raises(CorruptEvent):
            await recorder.log()
        lost = await add(recorder, "only", "rests on the damaged one")
        assert isinstance(lost, CorruptEvent), lost
        assert isinstance(await add(recorder, "another", "of its own"), Done)


async def _a_hundred_events(folder: Path) -> History:
    async with running(folder) as server, connect(server.address) as client:
        recorder = Recorder(client, History())
        for number in range(100):
            assert isinstance(await add(recorder, "only", str(number)), Done)
        return recorder.history


def _open_files(folder: Path) -> list[str]:
    """Those in the folder that this process has open."""
    open_ones = (os.path.realpath(each) for each in Path("/proc/self/fd").iterdir())
    return [each for each in open_ones if each.startswith(str(folder))]


def _files(folder: Path) -> dict[str, bytes]:
    """All but the lock, which says who had it last."""
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name != LOCK_FILE}
