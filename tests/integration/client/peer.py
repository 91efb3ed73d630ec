"""A server of raw frames: it does what it is told, which a sound server never would."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

from gesta.client import RetryPolicy
from gesta.v1 import command_service_pb2 as commands
from gesta.v1 import event_service_pb2 as events

Frames = AsyncIterator[commands.ExecuteStreamRequest]
Answers = AsyncIterator[commands.ExecuteStreamResponse]
Stream = Callable[[Frames, Any], Answers]
Subscribed = Callable[[events.SubscribeRequest, Any], AsyncIterator[events.SubscribeResponse]]

QUICK = RetryPolicy(backoff_first_s=0.001, backoff_max_s=0.002)
"""So that tests need not wait for what they do not measure."""


@asynccontextmanager
async def peer(
    stream: Stream | None = None,
    subscribe: Subscribed | None = None,
    execute: Callable[[commands.ExecuteRequest, Any], Any] | None = None,
) -> AsyncIterator[str]:
    """Its address."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, dict[str, Any]] = {"CommandService": {}, "EventService": {}}
    if stream is not None:
        handlers["CommandService"]["ExecuteStream"] = grpc.stream_stream_rpc_method_handler(
            stream,
            commands.ExecuteStreamRequest.FromString,
            commands.ExecuteStreamResponse.SerializeToString,
        )
    if execute is not None:
        handlers["CommandService"]["Execute"] = grpc.unary_unary_rpc_method_handler(
            execute,
            commands.ExecuteRequest.FromString,
            commands.ExecuteResponse.SerializeToString,
        )
    if subscribe is not None:
        handlers["EventService"]["Subscribe"] = grpc.unary_stream_rpc_method_handler(
            subscribe,
            events.SubscribeRequest.FromString,
            events.SubscribeResponse.SerializeToString,
        )
    for service, methods in handlers.items():
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(f"gesta.v1.{service}", methods),)
        )
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


def failed(number: int, code: grpc.StatusCode, reason: str) -> commands.ExecuteResult:
    """An error of gesta's, with nothing done."""
    info = ErrorInfo(domain="gesta", reason=reason, metadata={"outcome": "NOT_DONE"})
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


def ids(requests: Iterable[commands.ExecuteRequest]) -> list[bytes]:
    """Their command ids."""
    return [each.command_id for each in requests]
