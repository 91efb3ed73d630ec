"""Too many commands at once: refused as they come, with advice, by a stream as by a call."""

import asyncio

import grpc
import pytest
from tests.integration.edge.caller import command_for, connected, problem_of_status
from tests.integration.edge.hosting import server_on
from tests.integration.edge.refusal import failed
from tests.integration.edge.stream import CommandStream, HeldStore

from gesta.client import Outcome, Overloaded, RetryPolicy, connect
from gesta.engine.limits import Limits

ONE = {"amount": 1}
REFUSED = (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "NOT_DONE")


async def test_what_is_too_much_is_refused_while_what_came_before_still_waits() -> None:
    """A whole frame, and a call: neither waits for the commit that all others wait for."""
    store = HeldStore()
    async with (
        server_on(store, limits=Limits(commands_waiting_max=2)) as server,
        connected(server.address) as caller,
    ):
        await caller.execute("a", "add", ONE)
        store.hold()
        first = CommandStream(caller)
        await first.send(command_for("a", "add", ONE), command_for("a", "add", ONE))
        await store.committing.wait()
        second = CommandStream(caller)
        await second.end(*[command_for("b", "add", ONE) for _ in range(300)])
        refused = await second.rest()
        assert [result.number for result in refused] == list(range(1, 301))
        problems = [problem_of_status(result.error) for result in refused]
        assert {each[:3] for each in problems} == {REFUSED}
        assert {each.metadata["what"] for each in problems} == {"commands_waiting_max"}
        assert (await failed(caller.execute("b", "add", ONE)))[:3] == REFUSED
        store.release()
        await first.end()
        assert [result.response.version for result in await first.rest()] == [2, 3]
        assert await caller.head() == 3


async def test_a_refused_command_is_asked_again_after_the_advised_time_and_done_once() -> None:
    store = HeldStore()
    async with (
        server_on(store, limits=Limits(commands_waiting_max=1, turn_wait_ms_max=20)) as server,
        connect(server.address) as client,
        connect(server.address, retry=RetryPolicy(attempts_max=1)) as asking_once,
    ):
        await client.execute("Tally", "a", "add", ONE)
        store.hold()
        held = asyncio.ensure_future(client.execute("Tally", "a", "add", ONE))
        await store.committing.wait()
        with pytest.raises(Overloaded) as refused:
            await asking_once.execute("Tally", "a", "add", ONE)
        assert (refused.value.retry_after_s, refused.value.outcome) == (0.02, Outcome.NOT_DONE)
        again = asyncio.ensure_future(client.execute("Tally", "a", "add", ONE))
        with pytest.raises(Overloaded):  # sent after it, so by now it has been refused, too
            await asking_once.execute("Tally", "a", "add", ONE)
        store.release()
        assert ((await held).version, (await again).version) == (2, 3)
