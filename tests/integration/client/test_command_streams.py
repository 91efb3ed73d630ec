"""What goes into a frame, what overload does, and what becomes of callers at the end."""

import asyncio
from typing import Any

import grpc
import pytest
from tests.integration.client.peer import (
    QUICK,
    Answers,
    Frames,
    answers,
    done,
    failed,
    numbered,
    opened,
    peer,
)

from gesta.client import (
    Client,
    Done,
    Outcome,
    OutcomeUnknown,
    Overloaded,
    connect,
)
from gesta.v1 import command_service_pb2 as commands


async def ask(client: Client, value: int, **options: Any) -> Done[Any]:
    return await client.execute("T", "a", "c", {"n": value}, **options)


async def test_concurrent_commands_share_a_frame_within_the_window() -> None:
    sizes: list[int] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=4)
        number = 0
        async for frame in frames:
            sizes.append(len(frame.commands))
            for request in frame.commands:
                number += 1
                yield answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address) as client:
        await asyncio.gather(*(ask(client, n) for n in range(10)))
    assert sizes[0] == 4
    assert max(sizes) == 4
    assert sum(sizes) == 10


async def test_a_frame_is_bounded_in_commands_and_bytes_and_a_larger_command_goes_alone() -> None:
    frames_seen: list[commands.ExecuteStreamRequest] = []
    alone: list[int] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=5_000)
        number = 0
        async for frame in frames:
            frames_seen.append(frame)
            for request in frame.commands:
                number += 1
                yield answers(done(number, request))

    async def execute(request: commands.ExecuteRequest, context: Any) -> commands.ExecuteResponse:
        alone.append(request.ByteSize())
        return done(1, request).response

    async with peer(ExecuteStream=stream, Execute=execute) as address, connect(address) as client:
        await asyncio.gather(*(ask(client, n) for n in range(600)))
        await asyncio.gather(
            *(client.execute("T", "a", "c", {"text": "x" * 100_000}) for _ in range(5)),
            client.execute("T", "a", "c", {"text": "x" * 300_000}),
        )
    assert max(len(frame.commands) for frame in frames_seen) == 512
    assert max(frame.ByteSize() for frame in frames_seen) < 256 * 1024
    assert len(alone) == 1


async def test_overload_is_asked_again_and_nothing_else_is_delayed_by_it() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for number, request in numbered(frames):
            if number == 1:
                yield answers(failed(1, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"))
            else:
                yield answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        first, second = await asyncio.gather(ask(client, 1), ask(client, 2))
    assert sorted([first.position, second.position]) == [2, 3]
    assert first.reply == {"n": 1}


async def test_overload_is_reported_when_the_attempts_are_used_up() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for number, _ in numbered(frames):
            yield answers(failed(number, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"))

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        with pytest.raises(Overloaded):
            await ask(client, 1)


async def test_not_now_does_not_settle_an_earlier_attempt_that_got_no_answer() -> None:
    calls = 0

    async def stream(frames: Frames, context: Any) -> Answers:
        nonlocal calls
        calls += 1
        yield opened()
        async for number, _ in numbered(frames):
            if calls == 1:
                await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            yield answers(failed(number, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"))

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        with pytest.raises(OutcomeUnknown) as caught:
            await ask(client, 1)
    assert isinstance(caught.value.__cause__, Overloaded)


async def test_a_command_asked_again_is_given_no_more_than_the_time_left() -> None:
    given: list[float] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for number, request in numbered(frames):
            given.append(request.timeout.ToTimedelta().total_seconds())
            if number == 1:
                yield answers(failed(1, grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"))
            else:
                yield answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        await ask(client, 1, timeout_s=20.5)
    assert given[0] == 20.5
    assert given[1] < 20.5


async def test_a_caller_that_leaves_disturbs_nobody() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=1)
        async for number, request in numbered(frames):
            yield answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address) as client:
        leaving = [asyncio.create_task(ask(client, n)) for n in range(3)]
        staying = asyncio.create_task(ask(client, 3))
        await asyncio.sleep(0)
        for each in leaving:
            each.cancel()
        assert (await staying).reply == {"n": 3}
        assert all(each.cancelled() for each in leaving)


async def test_a_caller_that_leaves_after_its_frame_was_sent_disturbs_nobody_in_it() -> None:
    sent, release = asyncio.Event(), asyncio.Event()

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for number, request in numbered(frames):
            sent.set()
            await release.wait()
            yield answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address) as client:
        asked = [asyncio.create_task(ask(client, n)) for n in range(3)]
        await sent.wait()
        asked[1].cancel()
        await asyncio.wait({asked[1]})
        release.set()
        first, last = await asyncio.gather(asked[0], asked[2])
        assert (first.reply, last.reply) == ({"n": 0}, {"n": 2})
        assert (await ask(client, 3)).position == 4


async def test_a_queue_that_is_full_refuses_at_once() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=1)
        async for _ in frames:
            pass

    async with (
        peer(ExecuteStream=stream) as address,
        connect(address, waiting_max=2, close_timeout_s=0.01) as client,
    ):
        asked = [asyncio.create_task(ask(client, n)) for n in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(Overloaded) as caught:
            await ask(client, 9)
        for each in asked:
            each.cancel()
    assert caught.value.what == "waiting_max"
    assert caught.value.outcome is Outcome.NOT_DONE
