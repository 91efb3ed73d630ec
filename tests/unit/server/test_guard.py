"""What an RPC has around it: how each way to fail ends the call, and what the log says of it."""

import asyncio
import logging
from typing import Any, cast

import grpc
import pytest
from google.rpc import status_pb2
from tests.integration.edge.caller import problem_of_status
from tests.unit.server.reader import Sender

from gesta.server.rpc.guard import DETAILS_KEY, Context, bidi_stream, server_stream, unary
from gesta.server.rpc.slots import Slots


class Call:
    """A call whose end is kept. `gone`: as gRPC's, its writes fail, though it is not done yet."""

    def __init__(self, *, gone: bool = False) -> None:
        self.gone = gone
        self.status: status_pb2.Status | None = None

    def done(self) -> bool:
        return False

    async def write(self, frame: bytes) -> None:
        if self.gone:
            raise grpc.aio.InternalError("Failed execute_batch")

    async def abort(self, code: grpc.StatusCode, message: str, trailers: Any) -> None:
        self.status = status_pb2.Status.FromString(dict(trailers)[DETAILS_KEY])
        raise grpc.aio.AbortError


async def _writes(frames: object, context: Context) -> None:
    await context.write(b"frame")
    raise ValueError("the_secret")


async def _run(handler: Any, call: Call) -> None:
    method = handler.unary_unary or handler.unary_stream or handler.stream_stream
    await method(Sender().frames(), cast("Context", call))


@pytest.mark.parametrize("handler", [bidi_stream(_writes), server_stream(_writes, Slots("x", 1))])
async def test_a_caller_that_went_away_during_a_write_leaves_no_error_in_the_log(
    caplog: pytest.LogCaptureFixture, handler: Any
) -> None:
    call = Call(gone=True)
    with caplog.at_level(logging.INFO), pytest.raises(asyncio.CancelledError):
        await _run(handler, call)
    assert caplog.records == []
    assert call.status is None


@pytest.mark.parametrize(
    ("handler", "outcome"),
    [(bidi_stream(_writes), "UNKNOWN"), (server_stream(_writes, Slots("x", 1)), "NOT_DONE")],
)
async def test_a_bug_is_in_the_log_whole_and_reaches_the_caller_as_an_error_id(
    caplog: pytest.LogCaptureFixture, handler: Any, outcome: str
) -> None:
    call = Call()
    with caplog.at_level(logging.INFO), pytest.raises(grpc.aio.AbortError):
        await _run(handler, call)
    assert call.status is not None
    problem = problem_of_status(call.status)
    assert problem[:3] == (grpc.StatusCode.INTERNAL, "INTERNAL", outcome)
    assert "the_secret" not in problem.message
    assert problem.metadata["error_id"] in caplog.text
    assert "the_secret" in caplog.text


@pytest.mark.parametrize(("writes", "outcome"), [(True, "UNKNOWN"), (False, "NOT_DONE")])
async def test_a_call_that_the_server_cuts_off_may_have_written_if_it_is_one_that_writes(
    writes: bool, outcome: str
) -> None:
    async def waits(data: object, context: Context) -> bytes:
        raise asyncio.CancelledError

    call = Call()
    with pytest.raises(grpc.aio.AbortError):
        await _run(unary(waits, writes=writes), call)
    assert call.status is not None
    assert problem_of_status(call.status)[1:3] == ("DRAINING", outcome)
