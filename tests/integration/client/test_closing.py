"""What becomes of whoever waits when a client is closed."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from tests.integration.client.peer import (
    Answers,
    Frames,
    answers,
    done,
    failed,
    numbered,
    opened,
    peer,
)
from tests.integration.edge.tally import Tally

from gesta.client import (
    Client,
    ClientClosed,
    Done,
    Outcome,
    OutcomeUnknown,
    RetryPolicy,
    command_id_for,
    connect,
)
from gesta.server.process import Server
from gesta.v1 import command_service_pb2 as commands


@dataclass(frozen=True)
class NeverAgain(RetryPolicy):
    """Whoever waits to ask again waits for longer than any test does."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when such a wait begins."""

    def backoff_s(self, attempt: int, draw: float | None = None) -> float:
        self.begun.set()
        return 500.0


async def ask(client: Client, value: int, **options: Any) -> Done[Any]:
    return await client.execute("T", "a", "c", {"n": value}, timeout_s=1_000.0, **options)


async def test_closing_answers_what_was_sent_as_unknown_and_the_rest_as_not_done() -> None:
    sent = asyncio.Event()

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=1)
        async for _ in frames:
            sent.set()

    async with peer(ExecuteStream=stream) as address:
        client = await connect(address, close_timeout_s=0.01).__aenter__()
        asked = [asyncio.create_task(ask(client, n)) for n in range(2)]
        await sent.wait()
        await client.close()
        results = await asyncio.gather(*asked, return_exceptions=True)
    assert [ClientClosed, ClientClosed] == [type(each) for each in results]
    assert [each.outcome for each in results if isinstance(each, ClientClosed)] == [
        Outcome.UNKNOWN,
        Outcome.NOT_DONE,
    ]


async def test_closing_waits_for_what_was_sent_and_ends_the_stream_properly() -> None:
    sent, release = asyncio.Event(), asyncio.Event()
    ended: list[bool] = []

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for frame in frames:
            if frame.end:
                ended.append(True)
                return
            sent.set()
            await release.wait()
            yield answers(done(1, frame.commands[0]))

    async with peer(ExecuteStream=stream) as address:
        client = await connect(address).__aenter__()
        asked = asyncio.create_task(ask(client, 1))
        await sent.wait()
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        release.set()
        await closing
        assert (await asked).reply == {"n": 1}
    assert ended == [True]


async def test_closing_waits_for_a_command_in_a_call_of_its_own() -> None:
    reached, release = asyncio.Event(), asyncio.Event()

    async def execute(request: commands.ExecuteRequest, context: Any) -> commands.ExecuteResponse:
        reached.set()
        await release.wait()
        return done(1, request).response

    async with peer(Execute=execute) as address:
        client = await connect(address, batching=False).__aenter__()
        asked = asyncio.create_task(ask(client, 1))
        await reached.wait()
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        release.set()
        await closing
        assert (await asked).reply == {"n": 1}


@pytest.mark.parametrize(
    ("reason", "outcome"), [("OVERLOADED", "NOT_DONE"), ("OUTCOME_UNKNOWN", "UNKNOWN")]
)
@pytest.mark.parametrize("batching", [True, False], ids=["batched", "unary"])
async def test_closing_answers_who_waits_to_ask_again(
    batching: bool, reason: str, outcome: str
) -> None:
    answer = failed(1, grpc.StatusCode.UNAVAILABLE, reason, outcome)

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for _ in numbered(frames):
            yield answers(answer)

    async def execute(request: commands.ExecuteRequest, context: Any) -> None:
        trailers = (("grpc-status-details-bin", answer.error.SerializeToString()),)
        await context.abort(grpc.StatusCode.UNAVAILABLE, reason, trailers)

    retry = NeverAgain()
    async with peer(ExecuteStream=stream, Execute=execute) as address:
        client = await connect(address, retry=retry, batching=batching).__aenter__()
        asked = asyncio.create_task(ask(client, 1, command_id="invoice-17"))
        await retry.begun.wait()
        await client.close()
        await expect(asked, outcome)


async def test_closing_does_not_wait_for_a_stream_that_does_not_open() -> None:
    reached = asyncio.Event()

    async def stream(frames: Frames, context: Any) -> Answers:
        reached.set()
        async for _ in frames:
            yield opened()

    async with peer(ExecuteStream=stream) as address:
        client = await connect(address, close_timeout_s=500.0).__aenter__()
        asked = asyncio.create_task(ask(client, 1))
        await reached.wait()
        await client.close()
        await expect(asked, "NOT_DONE")


async def test_closing_does_not_wait_to_open_a_stream_again() -> None:
    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=1)
        async for _ in frames:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "gone")

    retry = NeverAgain()
    async with peer(ExecuteStream=stream) as address:
        client = await connect(address, retry=retry, close_timeout_s=500.0).__aenter__()
        asked = [asyncio.create_task(ask(client, n, command_id=f"invoice-{n}")) for n in (17, 18)]
        await retry.begun.wait()
        await client.close()
        await expect(asked[0], "UNKNOWN")
        await expect(asked[1], "NOT_DONE")


async def test_a_client_whose_closing_was_cancelled_is_closed() -> None:
    sent = asyncio.Event()

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened()
        async for _ in frames:
            sent.set()

    async with peer(ExecuteStream=stream) as address:
        client = await connect(address, close_timeout_s=500.0).__aenter__()
        asked = asyncio.create_task(ask(client, 1))
        await sent.wait()
        closing = asyncio.create_task(client.close())
        await asyncio.sleep(0)
        closing.cancel()
        await asyncio.wait({closing})
        with pytest.raises(ClientClosed) as caught:
            await asked
    assert caught.value.outcome is Outcome.UNKNOWN


async def test_who_waits_in_the_queue_is_answered_when_all_other_tasks_are_cancelled() -> None:
    sent = asyncio.Event()

    async def stream(frames: Frames, context: Any) -> Answers:
        yield opened(window=1)
        async for _ in frames:
            sent.set()

    async with peer(ExecuteStream=stream) as address, connect(address) as client:
        before = asyncio.all_tasks()
        asked = [asyncio.create_task(ask(client, n)) for n in range(2)]
        await sent.wait()
        (own,) = [
            each
            for each in asyncio.all_tasks() - before - set(asked)
            if "CommandStream" in repr(each.get_coro())
        ]
        own.cancel()
        results = await asyncio.gather(*asked, return_exceptions=True)
    assert [each.outcome for each in results if isinstance(each, ClientClosed)] == [
        Outcome.UNKNOWN,
        Outcome.NOT_DONE,
    ]


async def test_another_event_loop_is_told_so(server: Server) -> None:
    async with connect(server.address) as client:
        tally = client.aggregate(Tally, "a")

        async def use() -> None:
            for asked in (tally.execute(Tally.add(1)), tally.state(), anext(aiter(client.read()))):
                with pytest.raises(RuntimeError, match="another event loop"):
                    await asked

        await asyncio.to_thread(asyncio.run, use())
        assert (await tally.execute(Tally.add(1))).version == 1


async def expect(asked: asyncio.Task[Done[Any]], outcome: str) -> None:
    """UNKNOWN comes with the command id to ask again with."""
    if outcome == "UNKNOWN":
        with pytest.raises(OutcomeUnknown) as unknown:
            await asked
        assert unknown.value.command_id == command_id_for("invoice-17")
    else:
        with pytest.raises(ClientClosed) as closed:
            await asked
        assert closed.value.outcome is Outcome.NOT_DONE
