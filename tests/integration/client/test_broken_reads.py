"""Reads that break, and unary calls whose errors are not gesta's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from tests.integration.client.peer import QUICK, done, peer

from gesta.client import (
    DeadlineExceeded,
    Outcome,
    OutcomeUnknown,
    RetryPolicy,
    Unrecognised,
    connect,
)
from gesta.v1 import command_service_pb2 as commands
from gesta.v1 import event_service_pb2 as wire
from gesta.v1.event_pb2 import RecordedEvent

Answers = AsyncIterator[wire.ReadEventsResponse]


def page(*places: int, token: str = "") -> wire.ReadEventsResponse:
    events = [RecordedEvent(position=10 * each, version=each) for each in places]
    return wire.ReadEventsResponse(events=events, token=token, head=99 if token else 0)


async def test_a_broken_read_goes_on_behind_its_last_event_with_what_is_left_of_its_limit() -> None:
    asked: list[wire.ReadEventsRequest] = []

    async def read(request: wire.ReadEventsRequest, context: Any) -> Answers:
        asked.append(request)
        if len(asked) == 1:
            yield page(1, 2)
            yield page(3)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        yield page(4, token="t")

    async with peer(ReadEvents=read) as address, connect(address, retry=QUICK) as client:
        reading = client.read(("T", "a"), limit=4)
        assert [each.version async for each in reading] == [1, 2, 3, 4]
    assert (reading.token, reading.head) == ("t", 99)
    assert [(each.after_version, each.limit) for each in asked] == [(0, 4), (3, 1)]


async def test_a_read_that_breaks_after_its_limit_is_complete() -> None:
    calls = 0

    async def read(request: wire.ReadEventsRequest, context: Any) -> Answers:
        nonlocal calls
        calls += 1
        yield page(1, 2)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    async with peer(ReadEvents=read) as address, connect(address, retry=QUICK) as client:
        assert [each.position async for each in client.read(limit=2)] == [10, 20]
    assert calls == 1


async def test_a_read_without_progress_fails_after_its_attempts() -> None:
    calls = 0

    async def read(request: wire.ReadEventsRequest, context: Any) -> Answers:
        nonlocal calls
        calls += 1
        if calls < 3:
            yield page(calls)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    three = RetryPolicy(attempts_max=3, backoff_first_s=0.001)
    async with peer(ReadEvents=read) as address, connect(address, retry=three) as client:
        with pytest.raises(Unrecognised, match="gone"):
            assert [each.version async for each in client.read()] == []
    assert calls == 4


async def test_a_unary_command_is_asked_again_with_its_id_when_the_error_is_not_gestas() -> None:
    ids: list[bytes] = []

    async def execute(request: commands.ExecuteRequest, context: Any) -> commands.ExecuteResponse:
        ids.append(request.command_id)
        if len(ids) < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "a proxy")
        return done(1, request).response

    async with (
        peer(Execute=execute) as address,
        connect(address, retry=QUICK, batching=False) as client,
    ):
        assert (await client.execute("T", "a", "c", {"n": 1})).reply == {"n": 1}
    assert len(ids) == 3
    assert len(set(ids)) == 1


async def test_resource_exhausted_without_gestas_reason_is_not_asked_again() -> None:
    calls = 0

    async def execute(request: commands.ExecuteRequest, context: Any) -> commands.ExecuteResponse:
        nonlocal calls
        calls += 1
        return await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too large")  # type: ignore[no-any-return]

    async with (
        peer(Execute=execute) as address,
        connect(address, retry=QUICK, batching=False) as client,
    ):
        with pytest.raises(Unrecognised, match="too large") as caught:
            await client.execute("T", "a", "c")
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert calls == 1


async def test_time_running_out_is_unknown_for_a_command_and_not_done_for_a_read() -> None:
    async def silent(request: Any, context: Any) -> None:
        await asyncio.Event().wait()

    async with (
        peer(Execute=silent, GetServerInfo=silent) as address,
        connect(address, batching=False, timeout_s=0.2) as client,
    ):
        with pytest.raises(OutcomeUnknown) as unknown:
            await client.execute("T", "a", "c")
        with pytest.raises(DeadlineExceeded) as expired:
            await client.info()
    assert unknown.value.command_id is not None
    assert expired.value.outcome is Outcome.NOT_DONE
