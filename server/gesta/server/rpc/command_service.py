"""CommandService: commands in, answers out."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import grpc

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest
from gesta.engine.messages import Accepted
from gesta.server.rpc.batch import Batch
from gesta.server.rpc.execute_stream import ExecuteStream
from gesta.server.rpc.guard import Context, bidi_stream, parse, unary
from gesta.server.rpc.intake import Intake
from gesta.server.rpc.requests import COMMANDS_PER_FRAME_MAX, REQUEST_BYTES_MAX, Requests
from gesta.server.rpc.tracing import traceparent_of
from gesta.server.rpc.unread import Unread
from gesta.server.wire import encode_response
from gesta.v1.command_service_pb2 import BatchExecuteRequest, ExecuteRequest

NAME = "gesta.v1.CommandService"


class CommandService:
    """The three ways to have commands executed."""

    def __init__(self, engine: Engine, requests: Requests, unread: Unread) -> None:
        self._engine = engine
        self._intake = Intake(engine, requests, unread)
        self._unread = unread
        self._streams: set[ExecuteStream] = set()

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        return {
            "Execute": unary(self.execute, writes=True, unread=self._unread),
            "BatchExecute": unary(self.batch_execute, writes=True, unread=self._unread),
            "ExecuteStream": bidi_stream(self.execute_stream),
        }

    def drain(self) -> None:
        """Tell every stream that the server is stopping."""
        for stream in self._streams:
            stream.drain()

    async def execute(self, data: bytes, context: Context) -> bytes:
        request = parse(ExecuteRequest, data, REQUEST_BYTES_MAX)
        parcel = self._intake.let_in(1, len(data), time_left(context), traceparent_of(context))
        waiting = _Waiting()
        self._intake.put(parcel, request, waiting.resolve)
        answer = await waiting.answer
        if isinstance(answer, EngineError):
            raise answer
        return encode_response(answer, self._engine.tokens.mint(answer.position))

    async def batch_execute(self, data: bytes, context: Context) -> bytes:
        request = parse(BatchExecuteRequest, data, REQUEST_BYTES_MAX)
        if len(request.commands) > COMMANDS_PER_FRAME_MAX:
            raise InvalidRequest("commands", f"at most {COMMANDS_PER_FRAME_MAX}")
        count = len(request.commands)
        parcel = self._intake.let_in(count, len(data), time_left(context), traceparent_of(context))
        batch = Batch(count)
        for index, each in enumerate(request.commands):
            self._intake.put(parcel, each, batch.waiter(index))
        return await batch.encoded(self._engine.tokens.mint)

    async def execute_stream(self, frames: AsyncIterator[bytes], context: Context) -> None:
        stream = ExecuteStream(self._engine, self._intake, self._unread)
        self._streams.add(stream)
        try:
            if self._engine.draining:
                stream.drain()
            await stream.run(frames, context)
        finally:
            self._streams.discard(stream)


class _Waiting:
    """A caller that waits for one answer. When the caller goes, the command goes on."""

    __slots__ = ("answer",)

    def __init__(self) -> None:
        self.answer: asyncio.Future[Accepted | EngineError] = (
            asyncio.get_running_loop().create_future()
        )

    def resolve(self, answer: Accepted | EngineError) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)


def time_left(context: Context) -> float | None:
    """Seconds until the call's deadline, None without one."""
    left = context.time_remaining()
    # Without a deadline gRPC counts from the end of time.
    return None if left is None or left > 1e9 else left
