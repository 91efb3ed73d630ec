"""What every RPC has around it: parsing, errors as statuses, and an answer on every path.

Handlers are registered with neither serialisers nor interceptors: they take bytes and give bytes.
That way a message that does not parse is answered by us and not by a traceback, and the hot
methods write their answers without building objects for them.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import status_pb2

from gesta.engine.errors import (
    Draining,
    EngineError,
    InvalidRequest,
    LimitExceeded,
    Outcome,
)
from gesta.engine.faults import internal
from gesta.server.rpc.slots import Slots
from gesta.server.rpc.unread import Unread
from gesta.server.status import code_of, status_of

M = TypeVar("M", bound=Message)
Context = grpc.aio.ServicerContext[bytes, bytes]
Unary = Callable[[bytes, Context], Awaitable[bytes]]
ServerStream = Callable[[bytes, Context], Awaitable[None]]
BidiStream = Callable[[AsyncIterator[bytes], Context], Awaitable[None]]

_LOG = logging.getLogger("gesta.server")

DETAILS_KEY = "grpc-status-details-bin"

ANSWER_BYTES_MAX = 8_388_608
"""Bytes of one answer or frame: twice what gRPC's clients take unless they are told otherwise.
Beyond it gRPC would refuse our own answer, without a reason."""


def parse(message: type[M], data: bytes, bytes_max: int) -> M:
    """The message. Raises InvalidRequest for one that is too large or does not parse, which text
    that is not UTF-8 is part of."""
    if len(data) > bytes_max:
        raise InvalidRequest(
            "", f"the request has {len(data)} bytes; at most {bytes_max} are taken"
        )
    try:
        return message.FromString(data)
    except DecodeError:
        raise InvalidRequest(
            "", f"the bytes are not a {message.DESCRIPTOR.name}, or text in them is not UTF-8"
        ) from None


def unary(
    handler: Unary, *, writes: bool, unread: Unread | None = None
) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """A unary method. `writes`: a bug may leave something behind; otherwise surely nothing.
    `unread` is given where answers may be large: it refuses the call, or counts its answer."""

    async def call(request: bytes, context: Context) -> bytes:
        try:
            if unread is not None:
                unread.check()
            answer = checked(await handler(request, context), writes=writes)
        except BaseException as error:
            await _fail(context, error, handler, writes)
            raise  # unreachable: _fail raises
        if unread is not None:
            unread.hold(context, len(answer))
        return answer

    return grpc.unary_unary_rpc_method_handler(call)


def server_stream(handler: ServerStream, slots: Slots) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """A method that writes frames until it returns; so many of them at once. It changes nothing."""

    async def call(request: bytes, context: Context) -> None:
        try:
            with slots:
                await handler(request, context)
        except BaseException as error:
            await _fail(context, error, handler, False)

    return grpc.unary_stream_rpc_method_handler(call)


def bidi_stream(handler: BidiStream) -> "grpc.RpcMethodHandler[bytes, bytes]":
    """A method that reads and writes frames until it returns."""

    async def call(requests: AsyncIterator[bytes], context: Context) -> None:
        try:
            await handler(requests, context)
        except BaseException as error:
            await _fail(context, error, handler, True)

    return grpc.stream_stream_rpc_method_handler(call)


async def write(context: Context, frame: bytes, *, writes: bool = False) -> None:
    """Write one frame of a stream. Raises LimitExceeded, as `checked` does."""
    await context.write(checked(frame, writes=writes))


def checked(answer: bytes, *, writes: bool = False) -> bytes:
    """The answer. Raises LimitExceeded for one that is too large; `writes`: although it is done."""
    if len(answer) > ANSWER_BYTES_MAX:
        outcome = Outcome.UNKNOWN if writes else Outcome.NOT_DONE
        raise LimitExceeded("answer_bytes_max", ANSWER_BYTES_MAX, outcome)
    return answer


async def abort(context: Context, status: status_pb2.Status) -> None:
    """End the call with a status and its details. Raises, as gRPC's own abort does."""
    trailers = ((DETAILS_KEY, status.SerializeToString()),)
    await context.abort(code_of(status), status.message, trailers)


async def _fail(context: Context, error: BaseException, handler: Any, writes: bool) -> None:
    """End the call with what the error says, and with nothing of the inside."""
    where = getattr(handler, "__qualname__", "an rpc")
    outcome = Outcome.UNKNOWN if writes else Outcome.NOT_DONE
    if isinstance(error, grpc.aio.AbortError):
        raise error
    if isinstance(error, grpc.aio.InternalError):  # nobody is there to be told
        _LOG.debug("the caller of %s went away: %s", where, error)
        raise asyncio.CancelledError from error
    if isinstance(error, asyncio.CancelledError):
        if context.done():  # the caller is gone; swallowing this would leak the call's memory
            raise error
        # Somebody here cancelled the handler: without a status the caller would wait for ever.
        draining = Draining()
        draining.outcome = outcome
        await abort(context, status_of(draining))
    if isinstance(error, EngineError):
        await abort(context, status_of(error))
    if not isinstance(error, Exception):
        raise error
    await abort(context, status_of(internal(where, error, outcome)))
