"""ExecuteStream: many commands to a frame, windows, ends of every kind."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from uuid import uuid4

import grpc
import pytest
from grpc import StatusCode
from tests.integration.edge.caller import (
    TIMEOUT_S,
    Caller,
    command_for,
    connected,
    problem_of_status,
)
from tests.integration.edge.hosting import server_on, serving
from tests.integration.edge.refusal import failed
from tests.integration.edge.stream import CommandStream, HeldStore

from gesta.v1.command_service_pb2 import ExecuteRequest, ExecuteStreamRequest, ExecuteStreamResponse

WINDOW = 4_096
ONE = {"amount": 1}


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving() as caller:
        yield caller


def _adds(count: int, aggregates: int) -> list[ExecuteRequest]:
    return [command_for(f"a-{n % aggregates}", "add", ONE) for n in range(count)]


async def test_ten_thousand_commands_pipelined_are_each_answered_once_and_in_order(
    caller: Caller,
) -> None:
    commands = _adds(10_000, 97)
    stream = CommandStream(caller)

    async def send() -> None:
        for start in range(0, 10_000, 250):
            await stream.send(*commands[start : start + 250])
        await stream.end()

    _, results = await asyncio.gather(send(), stream.rest())
    assert stream.window == WINDOW
    assert sorted(result.number for result in results) == list(range(1, 10_001))
    numbers: dict[str, list[int]] = defaultdict(list)
    for result in results:
        numbers[commands[result.number - 1].aggregate_id].append(result.number)
        assert result.response.version == len(numbers[commands[result.number - 1].aggregate_id])
    assert all(each == sorted(each) for each in numbers.values())
    assert sorted(result.response.position for result in results) == list(range(1, 10_001))
    assert await caller.head() == 10_000


async def test_an_end_frame_with_its_last_commands_ends_the_stream_well(caller: Caller) -> None:
    stream = CommandStream(caller)
    await stream.send(command_for("a", "add", ONE))
    await stream.end(command_for("a", "add", ONE))
    assert [result.response.version for result in await stream.rest()] == [1, 2]


async def test_a_stream_of_nothing_ends_well(caller: Caller) -> None:
    stream = CommandStream(caller)
    await stream.send()
    await stream.end()
    assert await stream.rest() == []


async def test_what_was_read_before_a_client_left_without_a_word_is_executed(
    caller: Caller,
) -> None:
    stream = CommandStream(caller)
    await stream.send(*_adds(100, 7))
    await stream.leave()
    assert len(await stream.rest()) == 100
    assert await caller.head() == 100


async def test_a_failed_command_ends_nothing_and_keeps_its_place(caller: Caller) -> None:
    """Refusals that rest on an uncommitted event wait for it, so that order holds."""
    stream = CommandStream(caller)
    await stream.end(
        command_for("a", "add", ONE),
        command_for("a", "add", {"amount": -1}),
        command_for("a", "add", ONE, expected_version=7),
        command_for("a", "add", ONE, must_exist=False),
        command_for("a", "crash"),
        command_for("a", "burst", {"events": 2_000}),
        command_for("a", "add", ONE, expected_version=1),
    )
    results = await stream.rest()
    assert [result.number for result in results] == [1, 2, 3, 4, 5, 6, 7]
    reasons = [problem_of_status(result.error).reason for result in results[1:6]]
    conditions = ["VERSION_CONFLICT", "AGGREGATE_EXISTS"]
    assert reasons == ["NEGATIVE", *conditions, "HANDLER_FAILED", "LIMIT_EXCEEDED"]
    assert [results[0].response.version, results[6].response.version] == [1, 2]


async def test_what_is_wrong_with_one_command_touches_no_other_in_its_frame(caller: Caller) -> None:
    stream = CommandStream(caller)
    wrong = [command_for("", "add"), command_for("a", "fly"), command_for("b", "add")]
    await stream.end(*(each for bad in wrong for each in (bad, command_for("c", "add", ONE))))
    by_number = {result.number: result for result in await stream.rest()}
    assert sorted(by_number) == [1, 2, 3, 4, 5, 6]
    problems = [problem_of_status(by_number[number].error) for number in (1, 3, 5)]
    reasons = ["INVALID_REQUEST", "UNKNOWN_COMMAND", "INVALID_REQUEST"]
    assert [problem.reason for problem in problems] == reasons
    assert [problem.field for problem in problems] == ["aggregate_id", "", "arguments.amount"]
    assert [by_number[number].response.version for number in (2, 4, 6)] == [1, 2, 3]


async def test_the_same_command_id_twice_in_a_frame_is_one_command(caller: Caller) -> None:
    command = command_for("a", "add", ONE, command_id=uuid4().bytes)
    stream = CommandStream(caller)
    await stream.end(command, command)
    first, second = (result.response for result in await stream.rest())
    assert (first.replayed, second.replayed) == (False, True)
    assert (second.version, second.token) == (first.version, first.token) == (1, first.token)
    assert await caller.head() == 1


async def test_a_malformed_frame_ends_the_stream_after_the_answers_to_those_before(
    caller: Caller,
) -> None:
    frame = ExecuteStreamRequest(commands=[command_for("a", "add", ONE)]).SerializeToString()
    call: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = caller.channel.stream_stream(
        "/gesta.v1.CommandService/ExecuteStream"
    )
    answers = aiter(call(iter([frame, frame[:-1], frame]), timeout=TIMEOUT_S))
    assert ExecuteStreamResponse.FromString(await anext(answers)).window == WINDOW
    (result,) = ExecuteStreamResponse.FromString(await anext(answers)).results
    assert (result.number, result.response.version) == (1, 1)
    problem = await failed(anext(answers))
    assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
    assert await caller.head() == 1


async def test_a_frame_of_too_many_commands_ends_the_stream_and_none_is_executed(
    caller: Caller,
) -> None:
    stream = CommandStream(caller)
    await stream.send(*_adds(WINDOW + 1, 7))
    problem = await failed(stream.rest())
    assert (problem.reason, problem.field) == ("INVALID_REQUEST", "commands")
    assert await caller.head() == 0


async def test_a_stopping_server_says_so_answers_all_it_has_read_and_reads_no_more() -> None:
    store = HeldStore()
    server = server_on(store)
    await server.start()
    async with connected(server.address) as caller:
        store.hold()
        busy, idle = CommandStream(caller), CommandStream(caller)
        assert await idle.next()
        sending = asyncio.create_task(_send_windows(busy, 3))
        await store.committing.wait()  # the first window is being taken in; there is no room beside
        stop = asyncio.create_task(server.stop())
        assert await idle.rest() == []
        assert idle.drained
        store.release()
        results = await busy.rest()
        assert busy.drained
        assert sorted(result.number for result in results) == list(range(1, WINDOW + 1))
        refusals = [each for each in results if each.HasField("error")]
        assert all(problem_of_status(each.error).reason == "DRAINING" for each in refusals)
        done = {each.response.position for each in results if each.HasField("response")}
        assert done == set(range(1, WINDOW - len(refusals) + 1))
        await stop
        await asyncio.gather(sending, return_exceptions=True)


async def _send_windows(stream: CommandStream, count: int) -> None:
    for _ in range(count):
        await stream.send(*_adds(WINDOW, 128))


async def test_a_command_sent_to_a_stopping_server_is_not_done() -> None:
    store = HeldStore()
    server = server_on(store)
    await server.start()
    async with connected(server.address) as caller:
        store.hold()
        first = asyncio.create_task(caller.execute("a", "add", ONE))
        await store.committing.wait()
        stop = asyncio.create_task(server.stop())
        for call in (caller.execute("b", "add", ONE), caller.append("b", b'{"amount":1}')):
            problem = await failed(call)
            assert problem[:3] == (StatusCode.UNAVAILABLE, "DRAINING", "NOT_DONE")
        store.release()
        assert (await first).version == 1
        await stop
