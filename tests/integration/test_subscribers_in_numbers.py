"""Readers that stop, and readers by the thousand: they cost what they take, and miss nothing."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.integration.edge.caller import Caller, connected
from tests.integration.edge.follower import Follower
from tests.integration.edge.hosting import serving
from tests.integration.edge.process import running

from gesta.engine.limits import Limits

pytestmark = pytest.mark.slow

EVENT = b'{"blob":"%s"}' % (b"x" * 200_000)
HUNDRED_MB = 100
"""Appends of five events each, a megabyte together."""

GROWTH_MAX_BYTES = 48 << 20
"""What may be more in memory after the second 100 MB than after the first were written and read,
which filled SQLite's caches and the allocator's arenas. The tail goes up and down between half of
its 32 MiB and all of it, and so does what is encoded of it. A queue of what the reader has not
taken would be 100 MB; what gRPC holds of a stopped stream is little."""


async def test_a_reader_that_stops_costs_the_server_nothing_and_misses_nothing(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, target=None) as server, connected(server.address) as caller:
        await _append_megabytes(caller, HUNDRED_MB)
        begun = 5 * HUNDRED_MB
        first = Follower(caller)
        await first.until(begun)
        first.cancel()
        async with connected(server.address, [("grpc.use_local_subchannel_pool", 1)]) as own:
            stopped = Follower(own, from_now=True)
            assert (await stopped.next()).started.position == begun
            assert (await stopped.next()).caught_up.position == begun
            before = server.resident_bytes
            await _append_megabytes(caller, HUNDRED_MB)
            assert server.resident_bytes - before < GROWTH_MAX_BYTES
            events = await stopped.until(2 * begun)
            assert [event.position for event in events] == list(range(begun + 1, 2 * begun + 1))
            assert all(len(event.data) == len(EVENT) for event in events)
            assert "fell_behind" in stopped.said
            await stopped.until_it_says("caught_up")
            assert server.resident_bytes - before < GROWTH_MAX_BYTES
            stopped.cancel()


async def _append_megabytes(caller: Caller, count: int) -> None:
    for _ in range(count):
        await caller.append("a", *[EVENT] * 5, aggregate_type="Blob")


async def test_a_reader_that_falls_out_of_the_tail_is_told_and_comes_back() -> None:
    limits = Limits(tail_bytes_max=1 << 20)
    async with serving(limits=limits) as caller:
        follower = Follower(caller)
        await follower.until_it_says("caught_up")
        for n in range(300):
            await caller.execute("a", "add", {"amount": n, "note": "n" * 200_000})
        behind = (await follower.until_it_says("fell_behind")).fell_behind
        assert behind.position < behind.head <= 300
        assert [event.version for event in await follower.until(300)] == list(range(1, 301))
        await follower.until_it_says("caught_up")
        follower.cancel()


async def test_a_thousand_subscribers_get_everything() -> None:
    async with serving() as caller, AsyncExitStack() as stack:
        callers = [
            await stack.enter_async_context(
                connected(caller.address, [("grpc.use_local_subchannel_pool", 1)])
            )
            for _ in range(4)
        ]
        followers = [Follower(callers[n % 4]) for n in range(1_000)]
        await asyncio.gather(*(follower.until_it_says("caught_up") for follower in followers))
        for n in range(5):
            await caller.execute(f"a-{n}", "burst", {"events": 20})
        for events in await asyncio.gather(*(follower.until(100) for follower in followers)):
            assert [event.position for event in events] == list(range(1, 101))
        for follower in followers:
            follower.cancel()
