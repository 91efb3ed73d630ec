"""Subscriptions whose connection breaks: resumed, or ended with the reason."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from tests.integration.client.peer import QUICK, failed, peer
from tests.integration.edge.tally import Tally

from gesta.client import (
    DeadlineExceeded,
    InternalError,
    RetryPolicy,
    Unrecognised,
    connect,
)
from gesta.domain.catalog import Catalog
from gesta.server.config import Config
from gesta.server.process import Server
from gesta.v1 import event_service_pb2 as wire
from gesta.v1.event_pb2 import RecordedEvent

Frames = AsyncIterator[wire.SubscribeResponse]


def batch(*positions: int, checkpoint: str = "") -> wire.SubscribeResponse:
    events = [RecordedEvent(position=each) for each in positions]
    return wire.SubscribeResponse(batch=wire.EventBatch(events=events, checkpoint=checkpoint))


def started(token: str) -> wire.SubscribeResponse:
    return wire.SubscribeResponse(started=wire.SubscriptionStarted(token=token, position=0))


async def test_resuming_within_a_command_delivers_no_event_twice() -> None:
    asked: list[str] = []

    async def subscribe(request: wire.SubscribeRequest, context: Any) -> Frames:
        asked.append(request.after_token)
        yield started(request.after_token or "t0")
        if len(asked) == 1:
            yield batch(1, 2, checkpoint="t2")
            yield batch(3, 4)
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        yield batch(3, 4)
        yield batch(5, 6, checkpoint="t6")
        await asyncio.Event().wait()

    async with (
        peer(Subscribe=subscribe) as address,
        connect(address, retry=QUICK) as client,
        client.subscribe() as subscription,
    ):
        tokens = []
        seen = []
        for _ in range(6):
            seen.append((await anext(subscription)).position)
            tokens.append(subscription.token)
    assert seen == [1, 2, 3, 4, 5, 6]
    assert tokens == ["t0", "t2", "t2", "t2", "t2", "t6"]
    assert asked == ["", "t2"]


async def test_a_subscription_from_now_that_breaks_at_once_resumes_where_it_began() -> None:
    asked: list[tuple[str, bool]] = []

    async def subscribe(request: wire.SubscribeRequest, context: Any) -> Frames:
        asked.append((request.after_token, request.from_now))
        yield started("t7")
        if len(asked) > 1:
            yield batch(8, checkpoint="t8")
            await asyncio.Event().wait()

    async with (
        peer(Subscribe=subscribe) as address,
        connect(address, retry=QUICK) as client,
        client.subscribe(from_now=True) as subscription,
    ):
        assert (await anext(subscription)).position == 8
    assert asked == [("", True), ("t7", False)]


async def test_an_error_that_will_not_pass_ends_it_after_what_came_before() -> None:
    async def subscribe(request: wire.SubscribeRequest, context: Any) -> Frames:
        yield started("t0")
        yield batch(1, checkpoint="t1")
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no more")

    async with (
        peer(Subscribe=subscribe) as address,
        connect(address, retry=QUICK) as client,
        client.subscribe() as subscription,
    ):
        assert (await anext(subscription)).position == 1
        for _ in range(2):
            with pytest.raises(Unrecognised, match="no more"):
                await anext(subscription)


async def test_a_bug_at_the_server_is_not_asked_for_for_ever() -> None:
    async def subscribe(request: wire.SubscribeRequest, context: Any) -> Frames:
        yield started("t0")
        status = failed(1, grpc.StatusCode.INTERNAL, "INTERNAL", "UNKNOWN", error_id="e-1").error
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
        await context.abort(grpc.StatusCode.INTERNAL, "a bug")

    async with (
        peer(Subscribe=subscribe) as address,
        connect(address, retry=QUICK) as client,
        client.subscribe() as subscription,
    ):
        with pytest.raises(InternalError) as caught:
            await anext(subscription)
    assert caught.value.error_id == "e-1"


async def test_a_peer_that_falls_silent_is_left_for_a_new_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("gesta.client.follower.SILENT_HEARTBEATS", 0.1)
    calls = 0

    async def subscribe(request: wire.SubscribeRequest, context: Any) -> Frames:
        nonlocal calls
        calls += 1
        yield started(request.after_token or "t0")
        if calls > 1:
            yield batch(1, checkpoint="t1")
        await asyncio.Event().wait()

    async with (
        peer(Subscribe=subscribe) as address,
        connect(address, retry=QUICK) as client,
        client.subscribe(heartbeat_s=1) as subscription,
    ):
        assert (await anext(subscription)).position == 1
    assert calls > 1


async def test_frames_are_read_ahead_for_a_reader_that_rests() -> None:
    again = asyncio.Event()
    calls = 0

    async def subscribe(request: wire.SubscribeRequest, context: Any) -> Frames:
        nonlocal calls
        calls += 1
        if calls > 1:
            again.set()  # the client has read to the end of the first call
            await asyncio.Event().wait()
        yield started("t0")
        for position in range(1, 5):
            yield batch(position, checkpoint=f"t{position}")

    async with (
        peer(Subscribe=subscribe) as address,
        connect(address, retry=QUICK) as client,
        client.subscribe(frames_ahead_max=5) as subscription,
    ):
        async with asyncio.timeout(10):
            await again.wait()
        assert [(await anext(subscription)).position for _ in range(4)] == [1, 2, 3, 4]
        with pytest.raises(ValueError, match="frames_ahead_max"):
            client.subscribe(frames_ahead_max=0)


async def test_no_server_within_the_time_is_told_on_entering() -> None:
    async with connect("127.0.0.1:1", retry=QUICK, timeout_s=0.2) as client:
        with pytest.raises(DeadlineExceeded, match="failed to connect"):
            async with client.subscribe():
                pass


async def test_a_restarted_server_is_found_again_and_nothing_is_lost_or_doubled(
    tmp_path: Path,
) -> None:
    data = str(tmp_path / "data")
    catalog = Catalog.of(Tally)
    async with Server(Config(data=data, listen="127.0.0.1:0"), catalog=catalog) as first:
        address = first.address
        client = await connect(address, retry=RetryPolicy(backoff_first_s=0.01)).__aenter__()
        subscription = await client.subscribe().__aenter__()
        for amount in (1, 2):
            await client.aggregate(Tally, "a").execute(Tally.add(amount))
        assert [(await anext(subscription)).position for _ in range(2)] == [1, 2]
    asked = asyncio.create_task(client.execute("Tally", "a", "add", {"amount": 3}))
    async with Server(Config(data=data, listen=address), catalog=catalog):
        await asked
        assert (await anext(subscription)).position == 3
        await client.close()
