"""A client's life, and what the server says of itself."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest
from tests.integration.client.peer import Answers, Frames, opened, peer, serve_well
from tests.integration.edge.tally import Tally

from gesta.client import Client, ClientClosed, ClientState, Outcome, connect
from gesta.server.process import Server


async def test_aggregates_are_listed_in_order_beyond_a_page(client: Client) -> None:
    await asyncio.gather(
        *(client.aggregate(Tally, f"a-{n:04}").execute(Tally.add(1)) for n in range(1_005))
    )
    await client.aggregate(Tally, "b").execute(Tally.add(1))
    listed = [each async for each in client.list_aggregates(Tally, "a-")]
    assert [f"a-{n:04}" for n in range(1_005)] == [each.aggregate_id for each in listed]
    assert {("Tally", 1)} == {(each.aggregate_type, each.version) for each in listed}


async def test_the_server_describes_itself_and_its_types(client: Client) -> None:
    info = await client.info()
    assert (info.aggregate_types, info.head) == (("Ledger", "Tally"), 0)
    assert info.limits.events_per_command_max == 1_000
    (tally,) = await client.describe(Tally)
    assert "add" in [each.name for each in tally.commands]
    add = next(each for each in tally.commands if each.name == "add")
    assert add.rejections == ("NEGATIVE",)
    assert add.arguments_schema
    assert {"Tally", "Ledger"} == {each.name for each in await client.describe()}


async def test_a_client_is_opened_once_and_refuses_before_and_after(server: Server) -> None:
    client = connect(server.address)
    states = [client.lifecycle]
    with pytest.raises(ClientClosed, match="UNOPENED"):
        await client.info()
    async with client:
        states.append(client.lifecycle)
        await client.execute("Tally", "a", "add", {"amount": 1})
    states.append(client.lifecycle)
    assert states == [ClientState.UNOPENED, ClientState.OPEN, ClientState.CLOSED]
    with pytest.raises(ClientClosed, match="CLOSED"):
        await client.execute("Tally", "a", "add", {"amount": 1})
    with pytest.raises(ClientClosed):
        await client.__aenter__()


def test_an_option_that_cannot_work_is_refused() -> None:
    with pytest.raises(ValueError, match="streams"):
        connect("localhost:1", streams=0)
    with pytest.raises(TypeError):
        connect("localhost:1", stream=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("method", ["Execute", "GetServerInfo", "ReadEvents"])
async def test_closing_answers_whoever_waits_for_a_call_of_its_own(method: str) -> None:
    reached = asyncio.Event()

    async def silent(request: Any, context: Any) -> None:
        reached.set()
        await asyncio.Event().wait()

    async def silent_stream(request: Any, context: Any) -> AsyncIterator[None]:
        await silent(request, context)
        yield

    async def read(client: Client) -> None:
        async for _ in client.read():
            pass

    asked: dict[str, Callable[[Client], Coroutine[Any, Any, Any]]] = {
        "Execute": lambda client: client.execute("T", "a", "c"),
        "GetServerInfo": lambda client: client.info(),
        "ReadEvents": read,
    }
    handler = silent_stream if method == "ReadEvents" else silent
    async with peer(**{method: handler}) as address:
        client = await connect(address, batching=False, close_timeout_s=0.01).__aenter__()
        waiting = asyncio.create_task(asked[method](client))
        await reached.wait()
        await client.close()
        with pytest.raises(ClientClosed) as caught:
            await waiting
    outcome = Outcome.UNKNOWN if method == "Execute" else Outcome.NOT_DONE
    assert caught.value.outcome is outcome


async def test_a_caller_that_is_cancelled_stays_cancelled(server: Server) -> None:
    async with connect(server.address, batching=False) as client:
        asked = asyncio.create_task(client.info())
        await asyncio.sleep(0)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked


async def test_what_was_made_before_closing_refuses_after_it(server: Server) -> None:
    async with connect(server.address) as client:
        tally = client.aggregate(Tally, "a")
        reading = client.read()
        subscription = client.subscribe()
    with pytest.raises(ClientClosed):
        await tally.execute(Tally.add(1))
    with pytest.raises(ClientClosed):
        await tally.state()
    with pytest.raises(ClientClosed):
        await anext(aiter(reading))
    with pytest.raises(ClientClosed):
        async with subscription:
            pass


FORKED = """
import asyncio, os, sys, time
from gesta.client import connect

time.time_ns = lambda: 1_700_000_000_000_000_000
client = connect(sys.argv[1])
child = os.fork()

async def ask():
    async with client:
        print((await client.execute("T", "a", "c")).command_id)

asyncio.run(ask())
if child:
    os.waitpid(child, 0)
"""


async def test_a_client_made_before_a_fork_draws_other_ids_in_each_process() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for answer in serve_well(frames):
            yield answer

    async with peer(ExecuteStream=stream) as address:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", FORKED, address, stdout=asyncio.subprocess.PIPE
        )
        drawn, _ = await process.communicate()
    assert len(set(drawn.split())) == 2
