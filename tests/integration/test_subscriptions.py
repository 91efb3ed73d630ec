"""G6: subscriptions over a socket give everything, in order, once, from wherever one begins."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from grpc import StatusCode
from tests.integration.edge.caller import Caller, command_for
from tests.integration.edge.follower import Follower
from tests.integration.edge.hosting import serving
from tests.integration.edge.refusal import failed

from gesta.engine.limits import Limits
from gesta.v1.command_service_pb2 import BatchExecuteRequest
from gesta.v1.event_pb2 import EventFilter, EventFilterItem

BEHIND = Limits(tail_events_max=2, tail_bytes_max=100)
"""Next to no tail: whoever is behind at all is served from the store."""
LEDGERS = EventFilter(items=[EventFilterItem(aggregate_types=["Ledger"])])


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving() as caller:
        yield caller


async def _bursts(caller: Caller, *sizes: int, note: str = "") -> None:
    for size in sizes:
        await caller.execute("a", "burst", {"events": size, "note": note})


async def test_a_subscription_delivers_the_log_then_says_so_then_what_follows(
    caller: Caller,
) -> None:
    await _bursts(caller, 1, 2, 3)
    follower = Follower(caller)
    caught_up = await follower.until_it_says("caught_up")
    assert caught_up.caught_up.position == 6
    await _bursts(caller, 4)
    assert [event.position for event in await follower.until(10)] == list(range(1, 11))
    assert follower.said[:3] == ["started", "batch", "caught_up"]
    assert follower.said.count("caught_up") == 1
    follower.cancel()


async def test_a_subscription_to_an_empty_log_has_caught_up_at_once(caller: Caller) -> None:
    follower = Follower(caller)
    assert (await follower.next()).started.position == 0
    assert (await follower.next()).caught_up.position == 0
    follower.cancel()


async def test_from_now_delivers_only_what_comes_after_it_has_begun(caller: Caller) -> None:
    await _bursts(caller, 5)
    follower = Follower(caller, from_now=True)
    assert (await follower.next()).started.position == 5
    await _bursts(caller, 1)
    assert [event.position for event in await follower.until(6)] == [6]
    follower.cancel()


async def test_every_token_resumes_where_it_says(caller: Caller) -> None:
    await _bursts(caller, *[200] * 5, note="n" * 300)
    token_of_answer = (await caller.execute("a", "add", {"amount": 1})).token
    reader = Follower(caller)
    tokens: dict[str, int] = {}
    while reader.position < 1_001:
        frame = await reader.next()
        if frame.WhichOneof("frame") != "batch" or frame.batch.checkpoint:
            tokens[reader.token] = reader.position
    reader.cancel()
    assert len(tokens) > 3
    assert tokens[token_of_answer] == 1_001
    await _bursts(caller, 1)
    for token, position in tokens.items():
        resumed = Follower(caller, after_token=token)
        assert [e.position for e in await resumed.until(1_002)] == list(range(position + 1, 1_003))
        resumed.cancel()


@pytest.mark.parametrize("limits", [Limits(), BEHIND], ids=["tail", "store"])
async def test_no_frame_parts_a_command_that_fits_into_one(limits: Limits) -> None:
    """Of 7 events each: pages of 1,000 events, and frames, end inside one of them."""
    async with serving(limits=limits) as caller:
        await _bursts(caller, *[7] * 400, note="n" * 60)
        follower = Follower(caller)
        assert len(await follower.until(2_800)) == 2_800
        assert follower.parted == 0
        assert follower.said.count("batch") < 50
        follower.cancel()


@pytest.mark.parametrize("limits", [Limits(), BEHIND], ids=["tail", "store"])
async def test_a_command_larger_than_a_frame_has_its_checkpoint_at_its_end(limits: Limits) -> None:
    async with serving(limits=limits) as caller:
        await _bursts(caller, 1, 1_000, 1, note="n" * 300)
        follower = Follower(caller)
        events = await follower.until(1_002)
        assert [event.more_in_command for event in events[1:1_001]] == [True] * 999 + [False]
        assert follower.said.count("batch") >= 5
        follower.cancel()


@pytest.mark.parametrize("limits", [Limits(), BEHIND], ids=["tail", "store"])
async def test_a_frame_with_all_that_is_around_its_events_is_within_64_kib(limits: Limits) -> None:
    async with serving(limits=limits) as caller:
        notes = ["n" * (n % 90) for n in range(4_000)]
        commands = [
            command_for(f"a-{n % 10}", "add", {"amount": 1, "note": note})
            for n, note in enumerate(notes)
        ]
        await caller.commands.BatchExecute(BatchExecuteRequest(commands=commands))
        follower = Follower(caller)  # looks at the size of each
        await follower.until(4_000)
        assert follower.said.count("batch") < 20
        follower.cancel()


async def test_an_event_larger_than_a_frame_comes_alone(caller: Caller) -> None:
    for size in (1, 200_000, 1):
        await caller.execute("a", "add", {"amount": 1, "note": "n" * size})
    follower = Follower(caller)
    assert [len(event.data) > 200_000 for event in await follower.until(3)] == [False, True, False]
    follower.cancel()


async def test_a_filter_passes_over_the_rest_and_tells_how_far_it_is(caller: Caller) -> None:
    await _bursts(caller, *[1_000] * 11)
    await caller.execute("l", "write", {"text": "x"}, aggregate_type="Ledger")
    follower = Follower(caller, wanted=LEDGERS)
    checkpoint = await follower.until_it_says("checkpoint")
    assert 10_000 <= checkpoint.checkpoint.position <= 11_000
    assert [event.position for event in await follower.until(11_001)] == [11_001]
    follower.cancel()
    resumed = Follower(caller, after_token=checkpoint.checkpoint.token, wanted=LEDGERS)
    assert [event.position for event in await resumed.until(11_001)] == [11_001]
    resumed.cancel()


async def test_a_filter_that_matches_nothing_still_tells_of_progress_under_load(
    caller: Caller,
) -> None:
    """A reader must hear of a live server, and get checkpoints, while others are written."""
    follower = Follower(caller, wanted=LEDGERS)
    await follower.until_it_says("caught_up")
    heard = asyncio.create_task(follower.until_it_says("checkpoint"))
    while not heard.done():
        await caller.execute("a", "add", {"amount": 1})
    assert 0 < (await heard).checkpoint.position < 10_000
    follower.cancel()


async def test_a_filter_by_type_event_and_prefix_delivers_exactly_what_matches(
    caller: Caller,
) -> None:
    for aggregate_id in ("a-1", "b-1"):
        await caller.execute(aggregate_id, "add", {"amount": 1})
        await caller.execute(aggregate_id, "clear")
    await caller.execute("a-2", "write", {"text": "x"}, aggregate_type="Ledger")
    item = EventFilterItem(aggregate_types=["Tally"], event_types=["Cleared"], id_prefix="a-")
    both = EventFilter(items=[item, EventFilterItem(event_types=["Lined"])])
    follower = Follower(caller, wanted=both)
    assert [event.position for event in await follower.until(5)] == [2, 5]
    follower.cancel()


async def test_a_quiet_subscription_has_a_heartbeat_with_the_head(caller: Caller) -> None:
    await _bursts(caller, 3)
    follower = Follower(caller, heartbeat_s=1)
    assert (await follower.until_it_says("heartbeat")).heartbeat.head == 3
    follower.cancel()


async def test_the_hand_over_from_store_to_tail_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """Readers that begin at different places, while writers move the head and the tail."""
    limits = Limits(tail_events_max=64)
    async with serving(data=str(tmp_path / "data"), limits=limits) as caller:
        await _bursts(caller, *[100] * 10)
        followers = [Follower(caller) for _ in range(8)]
        reading = [asyncio.create_task(each.until(4_000)) for each in followers]
        writers = [
            asyncio.create_task(_write(caller, f"w-{n}", commands=100, size=5)) for n in range(4)
        ]
        late = []
        for n in range(8):
            done = await caller.execute("a", "add", {"amount": n})
            late.append(Follower(caller, after_token=done.token))
            reading.append(asyncio.create_task(late[-1].until(4_000)))
        await asyncio.gather(*writers)
        await _bursts(caller, 4_000 - await caller.head())
        for follower, events in zip(
            [*followers, *late], await asyncio.gather(*reading), strict=True
        ):
            first = 4_001 - len(events)
            assert [event.position for event in events] == list(range(first, 4_001))
            follower.cancel()
        assert all(reader.events[0].position == 1 for reader in followers)


async def _write(caller: Caller, aggregate_id: str, *, commands: int, size: int) -> None:
    for _ in range(commands):
        await caller.execute(aggregate_id, "burst", {"events": size})


async def test_a_subscription_resumes_at_the_next_server_on_the_log(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    async with serving(data=data) as caller:
        await _bursts(caller, 10, 10)
        follower = Follower(caller)
        await follower.until(20)
        token = follower.token
        follower.cancel()
    async with serving(data=data) as caller:
        await _bursts(caller, 10)
        resumed = Follower(caller, after_token=token)
        assert [event.position for event in await resumed.until(30)] == list(range(21, 31))
        resumed.cancel()


async def test_more_subscriptions_than_allowed_are_told_to_come_later() -> None:
    async with serving(limits=Limits(subscriptions_max=2)) as caller:
        open_ones = [Follower(caller), Follower(caller)]
        for follower in open_ones:
            await follower.next()
        problem = await failed(Follower(caller).next())
        assert problem[:2] == (StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
        assert problem.metadata["what"] == "subscriptions_max"
        open_ones[0].cancel()
        await _a_place_is_free(caller)
        open_ones[1].cancel()


async def _a_place_is_free(caller: Caller) -> None:
    """The server hears of a client's end when it comes to it; until then it says OVERLOADED."""
    while True:
        follower = Follower(caller)
        try:
            await follower.next()
        except grpc.aio.AioRpcError:
            continue
        return follower.cancel()
