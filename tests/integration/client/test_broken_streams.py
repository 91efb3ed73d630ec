"""Streams that break, stall or drain: every caller gets an answer, and the true one."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from tests.integration.client.peer import (
    QUICK,
    Answers,
    Frames,
    answers,
    done,
    numbered,
    opened,
    peer,
    serve_well,
)

from gesta.client import (
    Client,
    DeadlineExceeded,
    Done,
    Outcome,
    OutcomeUnknown,
    RetryPolicy,
    Unreachable,
    command_id_for,
    connect,
)
from gesta.v1 import command_service_pb2 as commands


async def ask(client: Client, value: int, **options: Any) -> Done[Any]:
    return await client.execute("T", "a", "c", {"n": value}, **options)


async def test_commands_of_a_broken_stream_are_asked_again_with_their_ids_in_their_order() -> None:
    calls: list[list[commands.ExecuteRequest]] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        seen: list[commands.ExecuteRequest] = []
        calls.append(seen)
        yield opened()
        async for number, request in numbered(frames):
            seen.append(request)
            if len(calls) == 1:
                if number == 3:
                    await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
            else:
                yield answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        results = await asyncio.gather(*(ask(client, n) for n in range(3)))
    assert [each.reply for each in results] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert [each.command_id for each in calls[0]] == [each.command_id for each in calls[1]]


async def test_a_command_that_was_sent_and_not_answered_in_time_is_unknown() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for number, request in numbered(frames):
            if number == 1:
                yield answers(done(number, request))

    async with (
        peer(ExecuteStream=stream) as address,
        connect(address, close_timeout_s=0.01) as client,
    ):
        await ask(client, 1)
        with pytest.raises(OutcomeUnknown) as caught:
            await ask(client, 2, command_id="invoice-17", timeout_s=0.05)
    assert caught.value.outcome is Outcome.UNKNOWN
    assert caught.value.command_id == command_id_for("invoice-17")
    assert str(caught.value.command_id) in str(caught.value)


async def test_each_command_expires_at_its_own_time() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for _ in frames:
            pass

    async def expire(client: Client, timeout_s: float) -> None:
        with pytest.raises((OutcomeUnknown, DeadlineExceeded)):
            await ask(client, 1, timeout_s=timeout_s)

    async with (
        peer(ExecuteStream=stream) as address,
        connect(address, close_timeout_s=0.01) as client,
    ):
        staying = asyncio.create_task(ask(client, 1))
        await asyncio.gather(*(expire(client, each) for each in (0.06, 0.01)))
        assert not staying.done()
        staying.cancel()


async def test_a_command_that_was_never_sent_in_time_is_not_done() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        async for _ in frames:  # never a first frame
            yield opened()

    async with (
        peer(ExecuteStream=stream) as address,
        connect(address, close_timeout_s=0.01) as client,
    ):
        with pytest.raises(DeadlineExceeded) as caught:
            await ask(client, 1, timeout_s=0.2)
    assert caught.value.outcome is Outcome.NOT_DONE


async def test_a_server_that_is_not_there_is_unreachable_and_nothing_is_done() -> None:
    policy = RetryPolicy(attempts_max=2, backoff_first_s=0.001, backoff_max_s=0.002)
    async with connect("127.0.0.1:1", retry=policy) as client:
        with pytest.raises(Unreachable) as caught:
            await ask(client, 1)
    assert caught.value.outcome is Outcome.NOT_DONE


async def test_a_stream_that_always_breaks_leaves_its_commands_unknown() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for _ in frames:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    policy = RetryPolicy(attempts_max=3, backoff_first_s=0.001, backoff_max_s=0.002)
    async with peer(ExecuteStream=stream) as address, connect(address, retry=policy) as client:
        with pytest.raises(OutcomeUnknown):
            await ask(client, 1)


async def test_a_call_that_the_server_refuses_outright_is_not_repeated() -> None:
    calls = 0

    async def stream(frames: Frames, context: Any) -> Answers:
        nonlocal calls
        calls += 1
        yield opened()
        async for _ in frames:
            await context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "too large, says a proxy")

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        with pytest.raises(OutcomeUnknown, match="too large, says a proxy"):
            await ask(client, 1)
    assert calls == 1


async def test_a_draining_stream_is_ended_and_what_it_did_not_take_goes_to_the_next() -> None:
    calls = 0
    ended: list[bool] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        nonlocal calls
        calls += 1
        yield opened(window=1)
        if calls > 1:
            async for answer in serve_well(frames):
                yield answer
            return
        async for frame in frames:
            if frame.end:
                ended.append(True)
                return
            yield commands.ExecuteStreamResponse(
                results=[done(1, frame.commands[0])], draining=True
            )

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        results = await asyncio.gather(*(ask(client, n) for n in range(3)))
    assert [each.reply for each in results] == [{"n": 0}, {"n": 1}, {"n": 2}]
    assert ended == [True]
    assert calls == 2


async def test_what_a_draining_server_was_sent_and_did_not_read_is_asked_again_with_its_id() -> (
    None
):
    calls: list[list[bytes]] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        seen: list[bytes] = []
        calls.append(seen)
        yield opened()
        async for number, request in numbered(frames):
            seen.append(request.command_id)
            if len(calls) > 1:
                yield answers(done(number, request))
            elif number == 2:  # the rest of the frame is left, and the stream ends well
                yield commands.ExecuteStreamResponse(results=[done(1, request)], draining=True)
                return

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        await asyncio.gather(*(ask(client, n) for n in range(4)))
    assert len(calls[1]) == 3
    assert calls[1][0] == calls[0][1]


async def test_a_server_that_only_drains_is_asked_ever_more_slowly() -> None:
    calls = 0
    attempts: list[int] = []

    class Noted(RetryPolicy):
        def backoff_s(self, attempt: int, draw: float | None = None) -> float:
            attempts.append(attempt)
            return 0.0

    async def stream(frames: Frames, context: Any) -> Answers:
        nonlocal calls
        calls += 1
        yield opened()
        if calls > 3:
            async for answer in serve_well(frames):
                yield answer

    async with peer(ExecuteStream=stream) as address, connect(address, retry=Noted()) as client:
        await ask(client, 1)
    assert attempts == [1, 2, 3]


async def test_a_frame_that_makes_no_sense_breaks_its_stream() -> None:
    calls = 0

    async def stream(frames: Frames, context: Any) -> AsyncIterator[Any]:
        nonlocal calls
        calls += 1
        yield opened()
        async for number, request in numbered(frames):
            yield b"\xff\xff" if calls == 1 else answers(done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address, retry=QUICK) as client:
        assert (await ask(client, 1)).reply == {"n": 1}
    assert calls == 2


async def test_an_answer_to_nothing_that_was_asked_is_passed_over() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for number, request in numbered(frames):
            yield answers(done(number + 7, request), done(number, request), done(number, request))

    async with peer(ExecuteStream=stream) as address, connect(address) as client:
        assert [(await ask(client, n)).position for n in range(3)] == [1, 2, 3]
