"""Projections report, callers wait: over every way to execute a command, and with none.

No projection runs here; the tests report in the place of one.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any
from uuid import UUID, uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode
from grpc.aio import AioRpcError
from tests.integration.edge.caller import TIMEOUT_S, Caller, command_for, connected, problem_of
from tests.integration.edge.hosting import server_on, serving
from tests.integration.edge.refusal import failed, refused
from tests.integration.edge.stream import CommandStream

from gesta.engine.limits import Limits
from gesta.engine.token import Tokens
from gesta.store.memory import MemoryStore
from gesta.store.port import Incarnation, LogInfo
from gesta.v1.command_service_pb2 import BatchExecuteRequest, ExecuteRequest, ExecuteResponse
from gesta.v1.projection_service_pb2 import (
    ListProjectionsRequest,
    ListProjectionsResponse,
    ReportCheckpointRequest,
    ReportCheckpointResponse,
    WaitForProjectionRequest,
)
from gesta.v1.server_service_pb2 import GetServerInfoRequest

ONE = {"amount": 1}
LONG_MS = 50_000
"""Nearly as long as a test's calls may take: a wait that ends has another reason."""


def _session(ms: int) -> bytes:
    """A UUID of version 7, of that time."""
    return (ms << 80 | 7 << 76 | 2 << 62 | 1).to_bytes(16, "big")


SESSION = _session(1_000)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving() as caller:
        yield caller


def waiting(aggregate_id: str = "a", *names: str, **fields: Any) -> ExecuteRequest:
    """An add that waits, for `accounts` unless others are named."""
    fields.setdefault("wait_timeout_ms", LONG_MS)
    return command_for(aggregate_id, "add", ONE, wait_for=names or ("accounts",), **fields)


async def executed(caller: Caller, request: ExecuteRequest) -> ExecuteResponse:
    return await caller.commands.Execute(request, timeout=TIMEOUT_S)


async def report(
    caller: Caller, token: str, *, name: str = "accounts", session: bytes = SESSION
) -> ReportCheckpointResponse:
    request = ReportCheckpointRequest(name=name, session=session, token=token)
    return await caller.projections.ReportCheckpoint(request, timeout=TIMEOUT_S)


async def listed(caller: Caller) -> ListProjectionsResponse:
    return await caller.projections.ListProjections(ListProjectionsRequest(), timeout=TIMEOUT_S)


async def waited(caller: Caller, token: str, *names: str, timeout_ms: int = LONG_MS) -> list[str]:
    request = WaitForProjectionRequest(names=names, token=token, timeout_ms=timeout_ms)
    answer = await caller.projections.WaitForProjection(request, timeout=TIMEOUT_S)
    return list(answer.pending)


async def token_at(caller: Caller, head: int) -> str:
    """The head's, once that is there."""
    while True:
        info = await caller.server.GetServerInfo(GetServerInfoRequest(), timeout=TIMEOUT_S)
        if info.head >= head:
            return info.token


async def test_a_command_is_answered_once_the_projection_has_its_events(caller: Caller) -> None:
    asked = asyncio.create_task(executed(caller, waiting()))
    token = await token_at(caller, 1)
    await report(caller, token, name="statements")
    assert not asked.done()
    await report(caller, token)
    answer = await asked
    assert (answer.version, answer.token, list(answer.pending)) == (1, token, [])


async def test_committed_and_not_projected_yet_is_an_answer_and_no_error(caller: Caller) -> None:
    answer = await executed(caller, waiting("a", "accounts", "statements", wait_timeout_ms=1))
    assert (answer.version, answer.position) == (1, 1)
    assert list(answer.pending) == ["accounts", "statements"]
    await report(caller, answer.token, name="statements")
    again = await executed(caller, waiting("a", "accounts", "statements", wait_timeout_ms=0))
    assert list(again.pending) == ["accounts", "statements"]
    assert await waited(caller, answer.token, "statements") == []


async def test_a_remembered_answer_waits_as_the_first_did(caller: Caller) -> None:
    command = waiting(command_id=uuid4().bytes, wait_timeout_ms=0)
    first = await executed(caller, command)
    again = await executed(caller, command)
    assert (list(first.pending), list(again.pending)) == (["accounts"], ["accounts"])
    await report(caller, first.token)
    last = await executed(caller, command)
    assert (last.replayed, last.token, list(last.pending)) == (True, first.token, [])
    assert await caller.head() == 1


async def test_in_a_batch_each_command_waits_for_its_own(caller: Caller) -> None:
    batch = BatchExecuteRequest(
        commands=[
            waiting("a", wait_timeout_ms=1),
            command_for("b", "add", {"amount": -1}, wait_for=["accounts"]),
            command_for("c", "add", ONE),
            waiting("d", "statements", wait_timeout_ms=LONG_MS),
        ]
    )
    asked = asyncio.ensure_future(caller.commands.BatchExecute(batch, timeout=TIMEOUT_S))
    await report(caller, await token_at(caller, 3), name="statements")
    results = (await asked).results
    assert [list(result.response.pending) for result in results] == [["accounts"], [], [], []]
    assert [result.HasField("error") for result in results] == [False, True, False, False]


async def test_on_a_stream_a_command_that_waits_holds_back_no_other(caller: Caller) -> None:
    stream = CommandStream(caller)
    await stream.send(
        waiting("a"),
        command_for("a", "add", ONE),
        command_for("b", "add", {"amount": -1}, wait_for=["accounts"]),
        command_for("b", "add", ONE),
    )
    results = await stream.answered(3)
    assert sorted(result.number for result in results) == [2, 3, 4]
    await report(caller, await token_at(caller, 3))
    (_, _, _, last) = await stream.answered(4)
    assert (last.number, last.response.version, list(last.response.pending)) == (1, 1, [])
    await stream.end(waiting("a", "nobody", wait_timeout_ms=0))
    assert list((await stream.rest())[-1].response.pending) == ["nobody"]


async def test_a_deadline_ends_a_wait_in_time_for_the_answer(caller: Caller) -> None:
    alone = caller.commands.Execute(waiting("a"), timeout=1.5)
    stream = CommandStream(caller)
    await stream.end(waiting("b", timeout=Duration(seconds=1)))
    (result,) = await stream.rest()
    assert list(result.response.pending) == ["accounts"]
    answer = await alone
    assert (answer.version, list(answer.pending)) == (1, ["accounts"])
    request = WaitForProjectionRequest(names=["accounts"], token=answer.token, timeout_ms=LONG_MS)
    late = await caller.projections.WaitForProjection(request, timeout=1.5)
    assert list(late.pending) == ["accounts"]


async def test_without_a_time_of_its_own_a_wait_takes_the_server_s() -> None:
    async with serving(limits=Limits(projection_wait_ms_default=1)) as caller:
        answer = await executed(caller, command_for("a", "add", ONE, wait_for=["accounts"]))
        assert list(answer.pending) == ["accounts"]
    async with serving(limits=Limits(projection_wait_ms_max=1)) as caller:
        answer = await executed(caller, waiting())
        assert await waited(caller, answer.token, "accounts") == ["accounts"]


async def test_a_server_that_stops_answers_everyone_who_waits() -> None:
    server = server_on(limits=Limits(projection_waits_max=3))
    async with server, connected(server.address) as caller:
        stream = CommandStream(caller)
        await stream.send(waiting("a"))
        alone = asyncio.create_task(executed(caller, waiting("b")))
        token = await token_at(caller, 2)
        reader = asyncio.create_task(waited(caller, token, "accounts"))
        while not server.engine.projections.full:
            await listed(caller)
        await server.stop()
        assert list((await alone).pending) == ["accounts"]
        assert [list(each.response.pending) for each in await stream.rest()] == [["accounts"]]
        assert await reader == ["accounts"]


async def test_projections_are_listed_with_how_far_they_lag(caller: Caller) -> None:
    assert list((await listed(caller)).projections) == []
    tokens = [(await executed(caller, command_for("a", "add", ONE))).token for _ in range(3)]
    heard = await report(caller, tokens[0])
    await report(caller, tokens[2], name="accounts@rebuild")
    found = await listed(caller)
    assert (found.head, heard.silent_after_ms) == (3, Limits().projection_silent_ms)
    behind, level = found.projections
    assert (behind.name, behind.position, behind.lag_events) == ("accounts", 1, 2)
    assert (behind.silent, behind.session) == (False, SESSION)
    assert behind.lag.ToMicroseconds() > 0
    assert behind.reported_at.seconds > 0
    assert (level.name, level.lag_events, level.lag.ToMicroseconds()) == ("accounts@rebuild", 0, 0)


async def test_silence_is_told_and_nobody_is_held_up_by_it() -> None:
    async with serving(limits=Limits(projection_silent_ms=0)) as caller:
        token = (await executed(caller, command_for("a", "add", ONE))).token
        await report(caller, token)
        (silent,) = (await listed(caller)).projections
        assert silent.silent
        assert list((await executed(caller, waiting())).pending) == ["accounts"]
        assert await waited(caller, token, "accounts") == []


async def test_an_older_session_is_told_which_one_took_its_place(caller: Caller) -> None:
    token = (await executed(caller, command_for("a", "add", ONE))).token
    await report(caller, token, session=_session(2_000))
    problem = await refused(caller, report(caller, token))
    assert problem[:3] == (StatusCode.FAILED_PRECONDITION, "SESSION_SUPERSEDED", "NOT_DONE")
    assert problem.metadata["name"] == "accounts"
    assert UUID(problem.metadata["session"]).bytes == _session(2_000)
    await report(caller, token, session=_session(3_000))


@pytest.mark.parametrize(
    ("name", "session", "field"),
    [
        ("", SESSION, "name"),
        ("ä" * 128, SESSION, "name"),
        ("a\n", SESSION, "name"),
        ("accounts", b"", "session"),
        ("accounts", UUID(int=4 << 76 | 2 << 62).bytes, "session"),
        ("accounts", SESSION + b"1", "session"),
    ],
)
async def test_a_bad_report_is_refused_with_its_field(
    caller: Caller, name: str, session: bytes, field: str
) -> None:
    token = await token_at(caller, 0)
    problem = await refused(caller, report(caller, token, name=name, session=session))
    assert (problem.code, problem.field) == (StatusCode.INVALID_ARGUMENT, field)
    assert list((await listed(caller)).projections) == []


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"wait_for": [""]}, "wait_for"),
        ({"wait_for": ["accounts", "a\x00"]}, "wait_for"),
        ({"wait_for": [f"p{n}" for n in range(17)]}, "wait_for"),
        ({"wait_for": ["accounts"], "wait_timeout_ms": -1}, "wait_timeout_ms"),
    ],
)
async def test_a_wait_that_cannot_be_understood_is_refused_before_the_command_is_executed(
    caller: Caller, fields: dict[str, Any], field: str
) -> None:
    problem = await refused(caller, executed(caller, command_for("a", "add", ONE, **fields)))
    assert (problem.code, problem.field) == (StatusCode.INVALID_ARGUMENT, field)


async def test_names_of_a_wait_are_one_to_sixteen(caller: Caller) -> None:
    token = await token_at(caller, 0)
    for names in ((), [f"p{n}" for n in range(17)]):
        problem = await refused(caller, waited(caller, token, *names))
        assert (problem.code, problem.field) == (StatusCode.INVALID_ARGUMENT, "names")
    problem = await refused(caller, waited(caller, token, "accounts", timeout_ms=-1))
    assert problem.field == "timeout_ms"
    assert await waited(caller, token, "b", "a", "b", timeout_ms=0) == ["b", "a"]


class Restored(MemoryStore):
    """Its log was restored to the state before its first event."""

    log_id = bytes(range(16))

    async def open(self) -> LogInfo:
        found = await super().open()
        lives = (Incarnation(1, 0), Incarnation(2, 0))
        return LogInfo(self.log_id, lives, found.epoch, found.head, found.last_commit_time_us)


async def test_a_place_that_this_log_does_not_have_is_neither_reported_nor_waited_for() -> None:
    first_life = Tokens(LogInfo(Restored.log_id, (Incarnation(1, 0),), 1, 0, 0))
    async with serving(Restored()) as caller:
        here = Tokens(await Restored().open())
        expected = {
            first_life.mint(1): (StatusCode.FAILED_PRECONDITION, "LOG_RESTORED"),
            here.mint(1): (StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"),
            "nonsense": (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
        }
        for token, told in expected.items():
            assert (await refused(caller, report(caller, token)))[:2] == told
            assert (await refused(caller, waited(caller, token, "accounts")))[:2] == told
        assert list((await listed(caller)).projections) == []
        await report(caller, first_life.mint(0))


@pytest.mark.parametrize("limit", ["projection_waits_max", "projection_waits_bytes_max"])
async def test_past_the_limit_of_waits_commands_are_answered_and_readers_refused(
    limit: str,
) -> None:
    async with serving(limits=Limits(**{limit: 1})) as caller:
        first = asyncio.create_task(executed(caller, waiting()))
        token = await token_at(caller, 1)
        answer = await executed(caller, waiting("b"))
        assert list(answer.pending) == ["accounts"]
        problem = await failed(waited(caller, token, "accounts"))
        assert problem[:3] == (StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "NOT_DONE")
        await report(caller, token, name="statements")
        assert await waited(caller, token, "statements") == []
        await report(caller, token)
        assert list((await first).pending) == []
        assert await waited(caller, token, "accounts") == []


async def test_a_reader_that_leaves_makes_room_for_the_next() -> None:
    limits = Limits(projection_waits_max=1, projection_wait_ms_max=1_000_000)
    async with serving(limits=limits) as caller:
        token = (await executed(caller, command_for("a", "add", ONE))).token
        request = WaitForProjectionRequest(names=["a"], token=token, timeout_ms=1_000_000)
        first = caller.projections.WaitForProjection(request)
        while not await is_refused(waited(caller, token, "b", timeout_ms=1)):
            pass  # until the first one waits
        first.cancel()
        while await is_refused(waited(caller, token, "b", timeout_ms=1)):
            pass  # until it does no more


async def is_refused(call: Coroutine[Any, Any, Any]) -> bool:
    try:
        await call
    except AioRpcError as error:
        return problem_of(error).reason == "OVERLOADED"
    return False
