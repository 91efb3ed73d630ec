"""Calls that stay open: how many of a kind at once."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.edge.caller import TIMEOUT_S, Caller, connected
from tests.integration.edge.hosting import server_on, serving
from tests.integration.edge.refusal import all_of, failed

from gesta.engine.limits import Limits
from gesta.v1.aggregate_service_pb2 import ReadHistoryRequest
from gesta.v1.event_service_pb2 import ReadEventsRequest, SubscribeRequest

OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
"""Otherwise channels to one address share one, and calls beyond its limit wait in the client."""

Call = grpc.aio.UnaryStreamCall[Any, Any]


def _events(caller: Caller) -> Call:
    return caller.events.ReadEvents(ReadEventsRequest(), timeout=TIMEOUT_S)


def _history(caller: Caller) -> Call:
    request = ReadHistoryRequest(aggregate_type="Tally", aggregate_id="a")
    return caller.aggregates.ReadHistory(request, timeout=TIMEOUT_S)


def _subscription(caller: Caller) -> Call:
    return caller.events.Subscribe(SubscribeRequest(), timeout=TIMEOUT_S)


def _watch(caller: Caller) -> Call:
    stub = health_pb2_grpc.HealthStub(caller.channel)
    call: Call = stub.Watch(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
    return call


@pytest.mark.parametrize(
    ("begin", "limit"),
    [
        (_events, "reads_at_once_max"),
        (_history, "reads_at_once_max"),
        (_subscription, "subscriptions_max"),
        (_watch, "health_watches_max"),
    ],
)
async def test_one_open_call_too_many_is_refused_until_another_has_ended(
    begin: Callable[[Caller], Call], limit: str
) -> None:
    limits = Limits(subscriptions_max=1)
    async with serving(limits=limits, reads_at_once_max=1, health_watches_max=1) as caller:
        for _ in range(40):  # more than a reader that has stopped is sent
            await caller.append("a", *[b'{"amount":1,"note":"%s"}' % (b"x" * 200_000)] * 4)
        held = begin(caller)
        await held.read()
        problem = await failed(all_of(begin(caller)))
        assert problem[:3] == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "NOT_DONE")
        assert problem.metadata["what"] == limit
        held.cancel()
        while await _is_refused(begin(caller)):  # it ends soon, as nothing is left to be heard
            pass


async def test_thousands_of_calls_that_come_at_once_are_all_answered() -> None:
    async with server_on() as server, AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(connected(server.address, OWN_CONNECTION))
            for _ in range(4)
        ]
        calls = [
            each.execute(str(n % 50), "add", {"amount": 1}) for n in range(900) for each in callers
        ]
        answers = await asyncio.gather(*calls)
        assert sorted(answer.version for answer in answers) == sorted([*range(1, 73)] * 50)


async def _is_refused(call: Call) -> bool:
    try:
        await call.read()
    except grpc.aio.AioRpcError as error:
        return error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    call.cancel()
    return False
