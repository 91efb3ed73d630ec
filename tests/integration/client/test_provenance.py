"""What a client says of where its commands come from, found with their events."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from tests.integration.edge.tally import Added, Lined, Tally

from gesta.client import Client, Event, NewEvent, connect
from gesta.server.process import Server

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
AMBIENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.fixture(params=["in a frame", "alone"])
async def either(request: pytest.FixtureRequest, server: Server) -> AsyncIterator[Client]:
    """A client that sends its commands in either of the two ways."""
    async with connect(server.address, batching=request.param == "in a frame") as client:
        yield client


async def last(client: Client) -> Event:
    (event,) = [each async for each in client.read(backwards=True, limit=1)]
    return event


async def test_what_an_event_leads_to_belongs_where_the_event_does(either: Client) -> None:
    begun = await either.execute("Tally", "a", "add", {"amount": 1})
    first = await last(either)
    await either.aggregate(Tally, "b").execute(Tally.add(2), caused_by=first)
    second = await last(either)
    assert second.correlation_id == first.correlation_id == str(begun.command_id)
    assert second.causation_id == str(first.event_id)
    await either.append([NewEvent.of("Ledger", "c", Lined("x"))], caused_by=second)
    third = await last(either)
    assert third.correlation_id == str(begun.command_id)
    assert third.causation_id == str(second.event_id)
    assert first.causation_id is None


async def test_what_a_caller_says_goes_before_what_the_cause_says(client: Client) -> None:
    await client.execute("Tally", "a", "add", {"amount": 1})
    first = await last(client)
    await client.execute(
        "Tally", "b", "add", {"amount": 1}, caused_by=first, correlation_id="order-1"
    )
    second = await last(client)
    assert (second.correlation_id, second.causation_id) == ("order-1", str(first.event_id))
    await client.append(
        [NewEvent.of("Tally", "c", Added(1))], caused_by=second, causation_id="mail-7"
    )
    third = await last(client)
    assert (third.correlation_id, third.causation_id) == ("order-1", "mail-7")


async def test_a_repository_says_what_caused_its_changes(client: Client) -> None:
    await client.execute("Tally", "a", "add", {"amount": 1}, correlation_id="order-1")
    first = await last(client)
    repository = client.repository(Tally)
    await repository.execute("b", Tally.add(2), caused_by=first)
    second = await last(client)
    assert (second.correlation_id, second.causation_id) == ("order-1", str(first.event_id))
    loaded, _ = repository.decide(await repository.load("b"), Tally.add(2))
    await repository.save(loaded, caused_by=second)
    third = await last(client)
    assert (third.correlation_id, third.causation_id) == ("order-1", str(second.event_id))


async def test_an_event_without_a_correlation_belongs_to_its_own_command(client: Client) -> None:
    command_id = UUID(int=7)
    await client.execute("Tally", "a", "add", {"amount": 1}, command_id=command_id)
    event = await last(client)
    assert (event.correlation_id, event.message.correlation_id) == (str(command_id), "")


@pytest.mark.parametrize("batching", [True, False])
async def test_the_ambient_trace_context_is_taken_for_what_is_given_none(
    server: Server, batching: bool
) -> None:
    ambient: list[str | None] = [AMBIENT]
    current = lambda: ambient[0]  # noqa: E731
    async with connect(server.address, batching=batching, current_traceparent=current) as client:
        await client.execute("Tally", "a", "add", {"amount": 1})
        await client.execute("Tally", "a", "add", {"amount": 1}, traceparent=TRACE)
        await client.append([NewEvent.of("Tally", "b", Added(1))])
        await client.append([NewEvent.of("Tally", "b", Added(1))], traceparent=TRACE)
        ambient[0] = None
        await client.execute("Tally", "a", "add", {"amount": 1})
        found = [each.traceparent async for each in client.read()]
    assert found == [AMBIENT, TRACE, AMBIENT, TRACE, None]


async def test_a_malformed_trace_context_does_not_fail_a_command(either: Client) -> None:
    done = await either.execute("Tally", "a", "add", {"amount": 1}, traceparent="00-x-y-01")
    assert done.version == 1
    assert (await last(either)).traceparent is None
