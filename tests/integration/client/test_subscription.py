"""Subscriptions: what is delivered, and what the token says of it."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.integration.edge.tally import Cleared

from gesta.client import (
    Client,
    ClientClosed,
    InvalidRequest,
    Match,
    Subscription,
    connect,
)
from gesta.server.process import Server
from gesta.v1 import event_service_pb2 as wire

Frames = AsyncIterator[wire.SubscribeResponse]


async def add(client: Client, amount: int, aggregate_id: str = "a") -> str:
    return (await client.execute("Tally", aggregate_id, "add", {"amount": amount})).token


async def next_positions(subscription: Subscription, count: int) -> list[int]:
    return [(await anext(subscription)).position for _ in range(count)]


async def test_what_was_and_what_comes_is_delivered_in_order(client: Client) -> None:
    await add(client, 1)
    async with client.subscribe() as subscription:
        assert await next_positions(subscription, 1) == [1]
        for amount in range(2, 5):
            await add(client, amount)
        assert await next_positions(subscription, 3) == [2, 3, 4]


async def test_a_subscription_begins_after_a_token_or_from_now(client: Client) -> None:
    first = await add(client, 1)
    await add(client, 2)
    async with (
        client.subscribe(after=first) as after,
        client.subscribe(from_now=True) as from_now,
    ):
        assert first == after.token
        await add(client, 3)
        assert await next_positions(after, 2) == [2, 3]
        assert await next_positions(from_now, 1) == [3]
    with pytest.raises(ValueError, match="not both"):
        client.subscribe(after=first, from_now=True)


async def test_the_token_moves_only_to_the_end_of_what_was_handed_out(client: Client) -> None:
    await client.execute("Tally", "a", "burst", {"events": 3})
    second = await add(client, 1)
    async with client.subscribe() as subscription:
        before = []
        for _ in range(4):
            await anext(subscription)
            before.append(subscription.token)
        assert before[0] == before[1] == before[2]
        assert before[3] == second
    async with client.subscribe(after=before[0]) as again:
        assert await next_positions(again, 4) == [1, 2, 3, 4]


async def test_batches_say_when_the_head_is_reached(client: Client) -> None:
    token = await add(client, 1)
    async with client.subscribe() as subscription:
        batches = []
        async for batch in subscription.batches():
            batches.append(batch)
            if subscription.caught_up:
                break
        assert [each.position for batch in batches for each in batch.events] == [1]
        assert token == subscription.token == batches[-1].checkpoint
        assert batches[-1].events == []
        assert [batch.position for batch in batches] == [1] * len(batches)
        await subscription.wait_caught_up()


async def test_a_filter_passes_over_the_rest_and_still_makes_progress(client: Client) -> None:
    for amount in range(3):
        await add(client, amount)
    token = (await client.execute("Tally", "a", "clear")).token
    async with client.subscribe(where=Match(event_types=[Cleared])) as subscription:
        assert await next_positions(subscription, 1) == [4]
    async with client.subscribe(where=Match(id_prefix="nobody")) as nothing:
        while not nothing.caught_up:
            batch = await nothing.next_batch()
            assert batch.events == []
        assert (batch.checkpoint, batch.position) == (token, 4)
        assert token == nothing.token


async def test_an_iteration_cut_short_by_a_timeout_goes_on_where_it_was(client: Client) -> None:
    async with client.subscribe() as subscription:
        for _ in range(3):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01):
                    await anext(subscription)
        await add(client, 1)
        await add(client, 2)
        assert await next_positions(subscription, 1) == [1]
        batches = subscription.batches()
        assert [each.position for each in (await anext(batches)).events] == [2]


async def test_events_in_hand_go_first_when_batches_are_asked_for(client: Client) -> None:
    await client.execute("Tally", "a", "burst", {"events": 3})
    async with client.subscribe() as subscription:
        await anext(subscription)
        batch = await subscription.next_batch()
        assert [each.position for each in batch.events] == [2, 3]
        assert (batch.checkpoint, batch.position) == (subscription.token, 3)


async def test_a_command_larger_than_a_frame_moves_the_token_once(client: Client) -> None:
    await client.execute("Tally", "a", "burst", {"events": 1_000, "note": "x" * 200})
    async with client.subscribe() as subscription:
        checkpoints = []
        seen = 0
        while seen < 1_000:
            batch = await subscription.next_batch()
            seen += len(batch.events)
            checkpoints.append(batch.checkpoint)
        assert len(checkpoints) > 2
        assert {None} == set(checkpoints[:-1])
        assert checkpoints[-1] is not None


async def test_a_bad_subscription_fails_on_entering(client: Client) -> None:
    with pytest.raises(InvalidRequest):
        async with client.subscribe(after="not a token"):
            pass


async def test_closing_the_client_ends_its_subscriptions(server: Server) -> None:
    async with connect(server.address) as client:
        subscription = await client.subscribe().__aenter__()
        while not subscription.caught_up:
            await subscription.next_batch()
        waiting = asyncio.create_task(subscription.next_batch())
        await asyncio.sleep(0)
    with pytest.raises(ClientClosed):
        await waiting
    with pytest.raises(ClientClosed):
        await anext(subscription)


async def test_a_subscription_is_used_as_a_context_manager(client: Client) -> None:
    with pytest.raises(ClientClosed, match="async with"):
        await anext(client.subscribe())


async def test_everyone_who_waits_for_a_subscription_is_told_that_it_was_closed(
    client: Client,
) -> None:
    async with client.subscribe() as read, client.subscribe() as never_read:
        while not read.caught_up:
            await read.next_batch()
        asked = [
            asyncio.create_task(read.next_batch()),
            asyncio.create_task(read.next_batch()),
            asyncio.create_task(never_read.wait_caught_up()),
        ]
        await asyncio.sleep(0)
    assert {ClientClosed} == {
        type(each) for each in await asyncio.gather(*asked, return_exceptions=True)
    }
    with pytest.raises(ClientClosed):
        await never_read.wait_caught_up()
    await read.wait_caught_up()
