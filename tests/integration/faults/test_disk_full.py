"""No room: callers are told that nothing was done, readers are served, and it passes."""

import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from tests.history.history import History
from tests.history.recording import Recorder
from tests.integration.edge.hosting import server_on
from tests.integration.edge.process import running
from tests.integration.faults.load import ONCE, followed, loaded, total_in, verify
from tests.integration.faults.server import SmallDisk
from tests.unit.store.failing import failing, sqlite_error

from gesta.client import Client, Outcome, StorageFull, connect
from gesta.store import SqliteStore


async def test_a_server_on_a_full_disk_refuses_reads_on_and_recovers(tmp_path: Path) -> None:
    disk = SmallDisk(tmp_path, kib=8_192)
    async with (
        running(tmp_path, within=disk.within) as server,
        connect(server.address, retry=ONCE) as client,
    ):
        await _fill_and_make_room(
            client, lambda: disk.fill(server, kib_left=512), lambda: disk.make_room(server)
        )
        server.signal(signal.SIGTERM)
        assert await server.ended() == 0


async def test_no_room_for_a_commit_is_refused_and_passes(tmp_path: Path) -> None:
    """Where no disk can be filled."""
    connection = failing()
    full = sqlite_error(sqlite3.SQLITE_FULL, "database or disk is full")
    async with (
        server_on(SqliteStore(tmp_path, connection=connection)) as server,
        connect(server.address, retry=ONCE) as client,
    ):
        await _fill_and_make_room(
            client,
            lambda: setattr(connection, "error", full),
            lambda: setattr(connection, "error", None),
        )


async def _fill_and_make_room(
    client: Client, fill: Callable[[], None], make_room: Callable[[], None]
) -> None:
    recorder = Recorder(client, History())
    async with followed(recorder, client) as following:
        async with loaded(recorder) as load:
            await load.until(100)
            fill()
            await load.refused()
            assert await recorder.state("Tally", "tally-0", total_in) is None
        assert {(type(each), each.outcome) for each in load.errors} == {
            (StorageFull, Outcome.NOT_DONE)
        }
        make_room()
        async with loaded(recorder, "later ") as later:
            await later.until(100)
        log = await verify(recorder, following)
        assert later.errors == []
        assert len(log) == load.acknowledged + later.acknowledged
