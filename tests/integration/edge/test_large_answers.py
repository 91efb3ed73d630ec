"""Answers that are too large: refused with a reason, and what was done stays done."""

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest
from grpc import StatusCode
from tests.integration.edge.caller import (
    TIMEOUT_S,
    Caller,
    Problem,
    command_for,
    problem_of_status,
)
from tests.integration.edge.hosting import serving
from tests.integration.edge.refusal import all_of, failed
from tests.integration.edge.stream import CommandStream

from gesta.engine.limits import Limits
from gesta.v1.aggregate_service_pb2 import GetAggregateRequest, QueryAggregateRequest
from gesta.v1.command_service_pb2 import BatchExecuteRequest, ExecuteRequest
from gesta.v1.event_service_pb2 import ReadEventsRequest, SubscribeRequest

ANSWER_BYTES_MAX = 8_388_608
LARGE = 250_000
TOO_LARGE = {"letters": ANSWER_BYTES_MAX}
GENEROUS = Limits(
    bytes_per_event_max=1 << 24, bytes_per_command_max=1 << 24, bytes_per_reply_max=1 << 24
)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving(limits=GENEROUS) as caller:
        yield caller


def bulk(command: str, letters: int, command_id: bytes = b"") -> ExecuteRequest:
    return command_for(
        "a", command, {"letters": letters}, aggregate_type="Bulk", command_id=command_id
    )


def _state(caller: Caller) -> Awaitable[object]:
    return caller.aggregates.GetAggregate(
        GetAggregateRequest(aggregate_type="Bulk", aggregate_id="a"), timeout=TIMEOUT_S
    )


def _query(caller: Caller) -> Awaitable[object]:
    request = QueryAggregateRequest(
        aggregate_type="Bulk", aggregate_id="a", query="letters", arguments=b'{"count":8388608}'
    )
    return caller.aggregates.QueryAggregate(request, timeout=TIMEOUT_S)


def _events(caller: Caller) -> Awaitable[object]:
    return all_of(caller.events.ReadEvents(ReadEventsRequest(), timeout=TIMEOUT_S))


def _subscription(caller: Caller) -> Awaitable[object]:
    return all_of(caller.events.Subscribe(SubscribeRequest(), timeout=TIMEOUT_S))


@pytest.mark.parametrize("read", [_state, _query, _events, _subscription])
async def test_a_read_whose_answer_is_too_large_is_told_so(
    caller: Caller, read: Callable[[Caller], Awaitable[object]]
) -> None:
    await caller.execute("a", "fill", TOO_LARGE, aggregate_type="Bulk")
    await caller.execute("a", "keep", TOO_LARGE, aggregate_type="Bulk")
    _check(await failed(read(caller)), "NOT_DONE")


async def test_a_command_is_done_though_its_reply_is_too_large(caller: Caller) -> None:
    call = caller.execute("a", "recite", TOO_LARGE, aggregate_type="Bulk")
    _check(await failed(call), "UNKNOWN")
    stream = CommandStream(caller)
    await stream.send(bulk("recite", ANSWER_BYTES_MAX))
    _check(await failed(stream.rest()), "UNKNOWN")
    assert await caller.head() == 2


async def test_replies_that_do_not_fit_a_batch_are_given_when_asked_for_again(
    caller: Caller,
) -> None:
    ids = [uuid4().bytes for _ in range(40)]
    request = BatchExecuteRequest(commands=[bulk("recite", LARGE, each) for each in ids])
    results = (await caller.commands.BatchExecute(request, timeout=TIMEOUT_S)).results
    assert [result.number for result in results] == list(range(1, 41))
    assert await caller.head() == 40
    fitted = sum(result.HasField("response") for result in results)
    assert fitted == ANSWER_BYTES_MAX // LARGE
    left_out = [result for result in results if result.HasField("error")]
    for result in left_out:
        _check(problem_of_status(result.error), "UNKNOWN")
        again = bulk("recite", LARGE, ids[result.number - 1])
        answer = await caller.commands.Execute(again, timeout=TIMEOUT_S)
        assert answer.replayed
        assert len(answer.reply) == LARGE + 2


def _check(problem: Problem, outcome: str) -> None:
    assert problem[:3] == (StatusCode.FAILED_PRECONDITION, "LIMIT_EXCEEDED", outcome)
    assert problem.metadata["limit"] == "answer_bytes_max"
    assert problem.metadata["maximum"] == str(ANSWER_BYTES_MAX)
