"""The trace context of a call, from its metadata or its request into the events."""

from collections.abc import AsyncIterator

import pytest
from tests.integration.edge.caller import TIMEOUT_S, Caller, command_for
from tests.integration.edge.hosting import serving

from gesta.v1.command_service_pb2 import BatchExecuteRequest, ExecuteStreamRequest
from gesta.v1.event_service_pb2 import AppendEventsRequest, NewEvent

OF_CALL = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OF_REQUEST = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
METADATA = [("traceparent", OF_CALL)]


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving() as caller:
        yield caller


async def recorded(caller: Caller) -> list[str]:
    return [event.traceparent for event in await caller.read()]


async def test_a_command_is_recorded_with_the_context_of_its_call(caller: Caller) -> None:
    for own in ("", OF_REQUEST):
        command = command_for("a", "add", {"amount": 1}, traceparent=own)
        await caller.commands.Execute(command, metadata=METADATA, timeout=TIMEOUT_S)
    assert await recorded(caller) == [OF_CALL, OF_REQUEST]


async def test_the_commands_of_a_batch_share_the_context_of_its_call(caller: Caller) -> None:
    commands = [
        command_for(f"a-{own}", "add", {"amount": 1}, traceparent=own) for own in ("", OF_REQUEST)
    ]
    batch = BatchExecuteRequest(commands=commands)
    await caller.commands.BatchExecute(batch, metadata=METADATA, timeout=TIMEOUT_S)
    assert sorted(await recorded(caller)) == [OF_CALL, OF_REQUEST]


async def test_an_append_is_recorded_with_the_context_of_its_call(caller: Caller) -> None:
    event = NewEvent(aggregate_type="Tally", aggregate_id="a", event_type="Cleared", data=b"{}")
    for own in ("", OF_REQUEST):
        append = AppendEventsRequest(events=[event], traceparent=own)
        await caller.events.AppendEvents(append, metadata=METADATA, timeout=TIMEOUT_S)
    assert await recorded(caller) == [OF_CALL, OF_REQUEST]


async def test_a_command_of_a_stream_has_its_own_context_and_not_the_streams(
    caller: Caller,
) -> None:
    stream = caller.commands.ExecuteStream(metadata=METADATA, timeout=TIMEOUT_S)
    commands = [command_for("a", "add", {"amount": 1}, traceparent=own) for own in ("", OF_REQUEST)]
    await stream.write(ExecuteStreamRequest(commands=commands, end=True))
    await stream.done_writing()
    assert [len(frame.results) async for frame in stream][-1]
    assert await recorded(caller) == ["", OF_REQUEST]
