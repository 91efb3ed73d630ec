"""kill -9 under load: who asked goes on, nothing acknowledged is lost or done twice, and whoever
asks again with the same id has the same answer.

Many rounds: .venv/bin/pytest -m slow tests/integration/faults/test_kill.py (`make test` has them)
"""

from contextlib import AsyncExitStack
from pathlib import Path
from random import Random

import pytest
from tests.history.history import History
from tests.history.recording import Recorder
from tests.integration.faults.load import (
    PATIENT,
    TIMEOUT_S,
    asked_again,
    followed,
    loaded,
    verify,
)
from tests.integration.faults.server import lasting_address, serving_at

from gesta.client import connect

ACKNOWLEDGED_MAX = 300
"""Commands in one round, before the kill."""


@pytest.mark.parametrize(
    "rounds", [10, pytest.param(50, marks=pytest.mark.slow)], ids=["ten", "fifty"]
)
async def test_one_client_goes_on_through_kills_and_its_history_is_clean(
    tmp_path: Path, rounds: int
) -> None:
    random = Random(rounds)
    address = lasting_address()
    async with (
        connect(address, retry=PATIENT, timeout_s=TIMEOUT_S) as client,
        AsyncExitStack() as stack,
    ):
        recorder = Recorder(client, History())
        server = await stack.enter_async_context(serving_at(address, tmp_path))
        following = await stack.enter_async_context(followed(recorder, client))
        load = await stack.enter_async_context(loaded(recorder))
        for _ in range(rounds):
            await load.until(load.acknowledged + random.randint(1, ACKNOWLEDGED_MAX))
            await server.kill()
            server = await stack.enter_async_context(serving_at(address, tmp_path))
        await load.until(load.acknowledged + 1)
        await load.end()
        again = [await asked_again(recorder, each) for each in recorder.history.commands[::10]]
        assert all(done.replayed for done in again)
        log = await verify(recorder, following)  # which holds both answers of each against it
        assert load.errors == []
        assert len(log) == load.acknowledged
