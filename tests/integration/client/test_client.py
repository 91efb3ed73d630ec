"""A client's life, and what the server says of itself."""

import asyncio

import pytest
from tests.integration.edge.tally import Tally

from gesta.client import Client, ClientClosed, ClientState, connect
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
