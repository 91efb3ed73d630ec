"""A server of raw frames: it does what it is told, which a sound server never would."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from gesta.client import RetryPolicy
from gesta.v1 import command_service_pb2 as commands
from gesta.v1 import event_service_pb2 as events
from gesta.v1.server_service_pb2 import GetServerInfoRequest

Frames = AsyncIterator[commands.ExecuteStreamRequest]
Answers = AsyncIterator[commands.ExecuteStreamResponse]

_METHODS: dict[str, tuple[Any, Any]] = {
    "CommandService/ExecuteStream": (
        grpc.stream_stream_rpc_method_handler,
        commands.ExecuteStreamRequest,
    ),
    "CommandService/Execute": (
        grpc.unary_unary_rpc_method_handler,
        commands.ExecuteRequest,
    ),
    "EventService/ReadEvents": (
        grpc.unary_stream_rpc_method_handler,
        events.ReadEventsRequest,
    ),
    "EventService/Subscribe": (
        grpc.unary_stream_rpc_method_handler,
        events.SubscribeRequest,
    ),
    "ServerService/GetServerInfo": (
        grpc.unary_unary_rpc_method_handler,
        GetServerInfoRequest,
    ),
}

QUICK = RetryPolicy(backoff_first_s=0.001, backoff_max_s=0.002)
"""So that tests need not wait for what they do not measure."""


@asynccontextmanager
async def peer(**methods: Callable[[Any, Any], Any]) -> AsyncIterator[str]:
    """Its address. Methods by their names in the contract."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    for path, (kind, request) in _METHODS.items():
        service, name = path.split("/")
        if name in methods:
            handler = kind(methods[name], request.FromString, _serialised)
            generic = grpc.method_handlers_generic_handler(f"gesta.v1.{service}", {name: handler})
            server.add_generic_rpc_handlers((generic,))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(0)


def opened(window: int = 100) -> commands.ExecuteStreamResponse:
    """The first frame of a stream."""
    return commands.ExecuteStreamResponse(window=window)


def done(number: int, request: commands.ExecuteRequest) -> commands.ExecuteResult:
    """An answer from which a test can tell what was asked."""
    return commands.ExecuteResult(
        number=number,
        response=commands.ExecuteResponse(
            version=1,
            position=number,
            token="t",
            reply=request.arguments or b"null",
            command_id=request.command_id,
        ),
    )


def failed(
    number: int, code: grpc.StatusCode, reason: str, outcome: str = "NOT_DONE", **metadata: str
) -> commands.ExecuteResult:
    """An error of gesta's."""
    info = ErrorInfo(domain="gesta", reason=reason, metadata={"outcome": outcome, **metadata})
    packed = AnyMessage()
    packed.Pack(info)
    status = Status(code=code.value[0], message=reason, details=[packed])
    return commands.ExecuteResult(number=number, error=status)


async def numbered(frames: Frames) -> AsyncIterator[tuple[int, commands.ExecuteRequest]]:
    """The commands of a stream with their numbers, to its end."""
    number = 0
    async for frame in frames:
        for request in frame.commands:
            number += 1
            yield number, request
        if frame.end:
            return


def answers(*results: commands.ExecuteResult) -> commands.ExecuteStreamResponse:
    """A frame of results."""
    return commands.ExecuteStreamResponse(results=results)


async def serve_well(frames: Frames) -> Answers:
    """What a sound server does after the first frame."""
    async for number, request in numbered(frames):
        yield answers(done(number, request))


def _serialised(answer: Any) -> bytes:
    """Bytes are sent as they are, which lets a server talk nonsense."""
    return answer if isinstance(answer, bytes) else answer.SerializeToString()
