"""An I/O error at COMMIT: nobody knows what is on the disk, so nobody is told that they do.

The server says so, ends with 74, and the next start finds out. Whoever asks again with the same
command id gets the truth.
"""

import asyncio
import signal
import sqlite3
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar
from uuid import UUID

import pytest
from tests.history.history import History
from tests.history.history import Outcome as Known
from tests.history.recording import Recorder
from tests.integration.edge.hosting import server_on
from tests.integration.faults.load import (
    ONCE,
    PATIENT,
    TIMEOUT_S,
    add,
    asked_again,
    followed,
    loaded,
    total_in,
    verify,
)
from tests.integration.faults.server import lasting_address, serving_at
from tests.unit.store.failing import FailingConnection, sqlite_error

from gesta.client import (
    Done,
    Outcome,
    OutcomeUnknown,
    StorageUnavailable,
    UnknownCommand,
    connect,
)
from gesta.store import SqliteStore

FAILING_DISK = "tests.integration.faults.failing_disk"
STORAGE_FAILED = 74

SIGNALS = pytest.mark.parametrize(
    "number", [signal.SIGUSR1, signal.SIGUSR2], ids=["not written", "written"]
)


class HeldCommit(FailingConnection):
    """Waits at COMMIT until it is let, and fails then. Of the class, so for one test."""

    free: ClassVar = threading.Event()
    committing: ClassVar = threading.Event()

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        if sql == "COMMIT" and self.error is not None:
            self.committing.set()
            self.free.wait(TIMEOUT_S)
        return super().execute(sql, parameters)


async def test_what_was_being_written_is_unknown_the_rest_not_done_and_reads_stop(
    tmp_path: Path,
) -> None:
    async with (
        server_on(SqliteStore(tmp_path, connection=HeldCommit)) as server,
        connect(server.address, retry=ONCE) as client,
    ):
        recorder = Recorder(client, History())
        assert isinstance(await add(recorder, "kept", "before"), Done)
        HeldCommit.error = sqlite_error(sqlite3.SQLITE_IOERR_FSYNC, "disk I/O error")
        first = asyncio.create_task(add(recorder, "a", "being written"))
        await asyncio.to_thread(HeldCommit.committing.wait, TIMEOUT_S)
        behind = asyncio.create_task(add(recorder, "b", "decided meanwhile"))
        with pytest.raises(UnknownCommand):  # answered at once, so the one before it was decided
            await client.execute("Tally", "b", "fly")
        HeldCommit.free.set()
        unknown, not_done = await first, await behind
        assert isinstance(unknown, OutcomeUnknown)
        assert unknown.command_id == UUID(bytes=recorder.history.commands[1].command_id)
        for late in (not_done, await recorder.state("Tally", "kept", total_in)):
            assert isinstance(late, StorageUnavailable), late
            assert late.outcome is Outcome.NOT_DONE
        await server.failed()


@SIGNALS
async def test_the_process_ends_with_74_and_the_next_one_knows_what_was_written(
    tmp_path: Path, number: signal.Signals
) -> None:
    address = lasting_address()
    history = History()
    async with serving_at(address, tmp_path, FAILING_DISK) as server:
        async with (
            connect(address, retry=ONCE) as client,
            loaded(Recorder(client, history)) as load,
        ):
            await load.until(100)
            server.signal(number)
            await load.stopped()
        assert await server.ended() == STORAGE_FAILED
        assert "STORAGE_FAILED" in server.said()
    async with serving_at(address, tmp_path), connect(address) as client:
        recorder = Recorder(client, history)
        written = {event.command_id for event in await verify(recorder)}
        unknown = [each for each in history.commands if each.outcome is Known.UNKNOWN]
        assert unknown
        answers = {each: await asked_again(recorder, each) for each in unknown}
        for command, done in answers.items():
            assert done.replayed == (command.command_id in written)
        assert any(done.replayed for done in answers.values()) == (number == signal.SIGUSR2)
        async with loaded(recorder, "later ") as later:
            await later.until(100)
        await verify(recorder)
        assert later.errors == []


@SIGNALS
async def test_whoever_has_the_patience_to_ask_again_does_not_notice(
    tmp_path: Path, number: signal.Signals
) -> None:
    address = lasting_address()
    async with (
        connect(address, retry=PATIENT, timeout_s=TIMEOUT_S) as client,
        AsyncExitStack() as stack,
    ):
        recorder = Recorder(client, History())
        failing = await stack.enter_async_context(serving_at(address, tmp_path, FAILING_DISK))
        following = await stack.enter_async_context(followed(recorder, client))
        load = await stack.enter_async_context(loaded(recorder))
        await load.until(100)
        failing.signal(number)
        assert await failing.ended() == STORAGE_FAILED
        await stack.enter_async_context(serving_at(address, tmp_path))
        await load.until(load.acknowledged + 100)
        await load.end()
        log = await verify(recorder, following)
        assert load.errors == []
        assert len(log) == load.acknowledged
