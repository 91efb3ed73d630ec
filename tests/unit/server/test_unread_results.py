"""Results that a client does not read: how much may wait, and what becomes of the commands."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import grpc
import pytest
from tests.integration.edge.bulk import Bulk
from tests.integration.edge.caller import command_for, problem_of_status
from tests.integration.edge.hosting import PATIENT
from tests.unit.server.reader import Reader, Sender, settle

from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.engine.errors import Overloaded
from gesta.server.rpc.execute_stream import (
    RESULTS_BYTES_MAX,
    WINDOW,
    ExecuteStream,
)
from gesta.server.rpc.guard import Context
from gesta.server.rpc.intake import SLICE_MIN, Intake
from gesta.server.rpc.requests import Requests
from gesta.server.rpc.results import RESULT_BYTES
from gesta.server.rpc.unread import Unread
from gesta.server.wire import encode_event
from gesta.store.memory import MemoryStore
from gesta.v1.command_service_pb2 import ExecuteStreamRequest

LETTERS = 250_000
FRAME = 200


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = await Engine.open(MemoryStore(), Catalog.of(Bulk), encode_event, limits=PATIENT)
    yield engine
    await engine.close()


class Streaming:
    """One stream under way."""

    def __init__(
        self, engine: Engine, *frames: ExecuteStreamRequest, unread: Unread | None = None
    ) -> None:
        self.unread = unread or Unread(1 << 40)
        intake = Intake(engine, Requests(engine), self.unread)
        self.stream = ExecuteStream(engine, intake, self.unread)
        self.reader, self.sender = Reader(), Sender(*frames)
        context = cast("Context", self.reader)
        self.task = asyncio.ensure_future(self.stream.run(self.sender.frames(), context))


def recite(letters: int, count: int = FRAME, *, end: bool = False) -> ExecuteStreamRequest:
    commands = [
        command_for(f"b-{n % 7}", "recite", {"letters": letters}, aggregate_type="Bulk")
        for n in range(count)
    ]
    return ExecuteStreamRequest(commands=commands, end=end)


async def test_a_client_that_reads_nothing_has_a_slice_of_large_results_waiting_and_no_more(
    engine: Engine,
) -> None:
    it = Streaming(engine, recite(LETTERS), recite(LETTERS, end=True))
    await settle()
    assert engine.head == SLICE_MIN
    assert it.unread.bytes <= SLICE_MIN * (LETTERS + 2 * RESULT_BYTES)
    assert it.sender.left == 1, "a frame is not asked for while there is no room"
    it.reader.read_on()
    await it.task
    assert sorted(each.number for each in it.reader.results) == list(range(1, 2 * FRAME + 1))
    assert engine.head == 2 * FRAME
    assert it.unread.bytes == 0


async def test_once_replies_are_known_to_be_large_few_are_under_way_at_once(
    engine: Engine,
) -> None:
    it = Streaming(engine, recite(LETTERS, end=True))
    await settle()
    assert it.unread.bytes > RESULTS_BYTES_MAX
    held = []
    while not it.task.done():
        it.reader.read_one()
        await settle()
        held.append(it.unread.bytes)
    steady = held[SLICE_MIN // 3 :]
    assert len(steady) > 10
    assert max(steady) <= RESULTS_BYTES_MAX + 2 * LETTERS
    assert max(map(len, it.reader.frames)) <= RESULTS_BYTES_MAX


async def test_small_results_fill_the_window(engine: Engine) -> None:
    frames = [recite(1, WINDOW), recite(1, WINDOW, end=True)]
    it = Streaming(engine, *frames)
    await settle()
    assert 0.95 * WINDOW <= engine.head <= WINDOW
    assert it.unread.bytes <= RESULTS_BYTES_MAX + RESULT_BYTES
    it.reader.read_on()
    await it.task
    assert engine.head == 2 * WINDOW


async def test_what_was_received_is_executed_though_the_client_leaves_without_reading(
    engine: Engine,
) -> None:
    it = Streaming(engine, recite(LETTERS), recite(LETTERS))
    await settle()
    it.task.cancel()
    await asyncio.gather(it.task, return_exceptions=True)
    assert it.unread.bytes == 0
    await settle()
    assert engine.head == FRAME
    assert it.unread.bytes == 0


async def test_a_frame_without_room_is_answered_when_the_server_stops(engine: Engine) -> None:
    it = Streaming(engine, recite(LETTERS), recite(LETTERS))
    await settle()
    done = engine.head
    engine.drain()
    it.stream.drain()
    it.reader.read_on()
    await it.task
    reasons = [problem_of_status(r.error).reason for r in it.reader.results if r.HasField("error")]
    assert reasons == ["DRAINING"] * (FRAME - done)
    assert len(it.reader.results) == FRAME


async def test_when_too_much_is_unread_in_all_streams_commands_are_refused(engine: Engine) -> None:
    unread = Unread(bytes_max=LETTERS)
    hoarder = Streaming(engine, recite(LETTERS), unread=unread)
    await settle()
    done = engine.head
    reader = Streaming(engine, recite(1, 3, end=True), unread=unread)
    reader.reader.read_on()
    await reader.task
    problems = [problem_of_status(result.error) for result in reader.reader.results]
    assert [each[:3] for each in problems] == [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "NOT_DONE")
    ] * 3
    assert {each.metadata["what"] for each in problems} == {"bytes_unread_max"}
    assert engine.head == done
    hoarder.reader.read_on()
    await hoarder.task
    unread.check()


def test_the_answer_of_a_unary_call_counts_until_its_call_has_ended() -> None:
    class Call:
        def add_done_callback(self, callback: Any) -> None:
            self.done = callback

    call, unread = Call(), Unread(10_000)
    unread.hold(cast("Context", call), 10_001)
    with pytest.raises(Overloaded, match="bytes_unread_max"):
        unread.check()
    call.done(call)
    unread.check()
    assert unread.bytes == 0
