"""One client's manners are no other client's business."""

import asyncio
import signal
from pathlib import Path

from tests.history.history import History
from tests.history.recording import Recorder
from tests.integration.edge.process import running
from tests.integration.faults.load import followed, loaded, verify
from tests.integration.faults.rude import (
    EXECUTE_STREAM,
    SUBSCRIBE,
    conversations,
    deaf,
    requests,
    say,
)

from gesta.client import Client, connect
from gesta.v1.command_service_pb2 import ExecuteStreamRequest

UNREAD = 500
"""Commands whose results nobody takes: fewer than HTTP/2 lets one send unasked."""


async def test_who_hangs_up_or_talks_rubbish_harms_nobody_else(tmp_path: Path) -> None:
    history = History()
    async with running(tmp_path) as server, connect(server.address) as client:
        recorder = Recorder(client, history)
        async with loaded(recorder) as load, followed(recorder, client) as following:
            for reset in (False, True):
                for _, words in conversations(history):
                    await asyncio.gather(*[say(server.address, words, reset=reset)] * 3)
                    await load.until(load.acknowledged + 20)
            await load.end()
            await verify(recorder, following)
        assert load.errors == []
        server.signal(signal.SIGTERM)
        assert await server.ended() == 0
        assert "Traceback" not in server.said()


async def test_who_never_reads_harms_nobody_else_and_keeps_no_server_from_ending(
    tmp_path: Path,
) -> None:
    history = History()
    frame = ExecuteStreamRequest(commands=requests(history, UNREAD, "unread")).SerializeToString()
    async with (
        running(tmp_path) as server,
        connect(server.address) as client,
        deaf(server.address, SUBSCRIBE, b"", more=False),
        deaf(server.address, EXECUTE_STREAM, frame, more=True),
    ):
        recorder = Recorder(client, history)
        async with loaded(recorder) as load, followed(recorder, client) as following:
            await load.until(500)
            while [each.version async for each in client.list_aggregates("Tally", "rude")] != [
                UNREAD
            ]:
                pass
            await load.end()
            log = await verify(recorder, following)
        assert load.errors == []
        assert len(log) == UNREAD + load.acknowledged
        server.signal(signal.SIGTERM)
        assert await server.ended() == 0
        assert "Traceback" not in server.said()


async def _versions(client: Client, id_prefix: str) -> list[int]:
    return [each.version async for each in client.list_aggregates("Tally", id_prefix)]
