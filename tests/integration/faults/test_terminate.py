"""A server that is asked to end, under load: everyone hears the truth before it does."""

import signal
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.history.history import History
from tests.history.log import logged
from tests.history.recording import Recorder
from tests.integration.edge.caller import connected
from tests.integration.edge.follower import Follower
from tests.integration.faults.load import (
    ONCE,
    PATIENT,
    TIMEOUT_S,
    followed,
    loaded,
    verify,
)
from tests.integration.faults.server import lasting_address, serving_at

from gesta.client import connect

ENOUGH = 200
"""Acknowledged commands, by which all callers are at it."""


@pytest.fixture
def address() -> str:
    return lasting_address()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda each: each.name)
async def test_all_are_answered_and_subscribers_told_before_the_server_ends_with_0(
    tmp_path: Path, address: str, number: signal.Signals
) -> None:
    history = History()
    seen = history.subscriber()
    async with serving_at(address, tmp_path) as server, connected(address) as raw:
        follower = Follower(raw)
        async with connect(address, retry=ONCE) as client:
            async with loaded(Recorder(client, history)) as load:
                await load.until(ENOUGH)
                server.signal(number)
                await load.stopped()  # each of them, the last time with an error
            assert await server.ended() == 0
        await follower.until_it_says("draining")
        with pytest.raises(StopAsyncIteration):
            await follower.next()
        history.take(seen, map(logged, follower.events))
    async with serving_at(address, tmp_path), connect(address) as client:
        recorder = Recorder(client, history)
        async with loaded(recorder, "later ") as later:
            await later.until(ENOUGH)
        log = await verify(recorder)
    assert later.errors == []
    assert len(log) >= load.acknowledged + later.acknowledged


async def test_a_restart_in_order_is_noticed_by_no_caller_and_no_subscriber(
    tmp_path: Path, address: str
) -> None:
    async with (
        connect(address, retry=PATIENT, timeout_s=TIMEOUT_S) as client,
        AsyncExitStack() as stack,
    ):
        recorder = Recorder(client, History())
        first = await stack.enter_async_context(serving_at(address, tmp_path))
        following = await stack.enter_async_context(followed(recorder, client))
        load = await stack.enter_async_context(loaded(recorder))
        await load.until(ENOUGH)
        first.signal(signal.SIGTERM)
        assert await first.ended() == 0
        await stack.enter_async_context(serving_at(address, tmp_path))
        await load.until(load.acknowledged + ENOUGH)
        await load.end()
        log = await verify(recorder, following)
        assert load.errors == []
        assert len(log) == load.acknowledged
