"""CommandService: commands in, answers out."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import grpc

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest
from gesta.engine.messages import Accepted
from gesta.server.rpc.execute_stream import ExecuteStream
from gesta.server.rpc.guard import Context, bidi_stream, parse, unary
from gesta.server.rpc.requests import COMMANDS_PER_FRAME_MAX, REQUEST_BYTES_MAX, Requests
from gesta.server.status import status_of
from gesta.server.wire import encode_response, encode_result, message_field
from gesta.v1.command_service_pb2 import BatchExecuteRequest, ExecuteRequest

NAME = "gesta.v1.CommandService"

_Answer = Accepted | EngineError


class CommandService:
    """The three ways to have commands executed."""

    def __init__(self, engine: Engine, requests: Requests) -> None:
        self._engine = engine
        self._requests = requests
        self._streams: set[ExecuteStream] = set()

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        return {
            "Execute": unary(self.execute, writes=True),
            "BatchExecute": unary(self.batch_execute, writes=True),
            "ExecuteStream": bidi_stream(self.execute_stream),
        }

    def drain(self) -> None:
        """Tell every stream that the server is stopping."""
        for stream in self._streams:
            stream.drain()

    async def execute(self, data: bytes, context: Context) -> bytes:
        request = parse(ExecuteRequest, data, REQUEST_BYTES_MAX)
        waiting = _Waiting()
        self._engine.commands.execute(
            self._requests.command(
                request, waiting.resolve, time_left(context), traceparent_of(context)
            )
        )
        answer = await waiting.answer
        if isinstance(answer, EngineError):
            raise answer
        return encode_response(answer, self._engine.tokens.mint(answer.position))

    async def batch_execute(self, data: bytes, context: Context) -> bytes:
        batch = parse(BatchExecuteRequest, data, REQUEST_BYTES_MAX)
        if len(batch.commands) > COMMANDS_PER_FRAME_MAX:
            raise InvalidRequest("commands", f"at most {COMMANDS_PER_FRAME_MAX}")
        left, traceparent = time_left(context), traceparent_of(context)
        waiting = [_Waiting() for _ in batch.commands]
        for request, one in zip(batch.commands, waiting, strict=True):
            try:
                command = self._requests.command(request, one.resolve, left, traceparent)
            except EngineError as error:
                one.resolve(error)
            else:
                self._engine.commands.execute(command)
        return b"".join([self._result(n, await one.answer) for n, one in enumerate(waiting, 1)])

    async def execute_stream(self, frames: AsyncIterator[bytes], context: Context) -> None:
        stream = ExecuteStream(self._engine, self._requests)
        self._streams.add(stream)
        try:
            if self._engine.draining:
                stream.drain()
            await stream.run(frames, context)
        finally:
            self._streams.discard(stream)

    def _result(self, number: int, answer: _Answer) -> bytes:
        if isinstance(answer, Accepted):
            token = self._engine.tokens.mint(answer.position)
            return encode_result(number, 1, message_field(2, encode_response(answer, token)))
        return encode_result(number, 1, message_field(3, status_of(answer).SerializeToString()))


class _Waiting:
    """A caller that waits for one answer. When the caller goes, the command goes on."""

    __slots__ = ("answer",)

    def __init__(self) -> None:
        self.answer: asyncio.Future[_Answer] = asyncio.get_running_loop().create_future()

    def resolve(self, answer: _Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


def time_left(context: Context) -> float | None:
    """Seconds until the call's deadline, None without one."""
    left = context.time_remaining()
    # Without a deadline gRPC counts from the end of time.
    return None if left is None or left > 1e9 else left


def traceparent_of(context: Context) -> str:
    """The call's W3C trace context, or nothing."""
    for key, value in context.invocation_metadata() or ():
        if key == "traceparent" and isinstance(value, str):
            return value
    return ""
