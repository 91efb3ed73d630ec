"""The past of one aggregate, and what a command would do to it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import msgspec
from grpc.aio import AioRpcError

from gesta.client.connection import Connection
from gesta.client.errors import ClientClosed, Outcome, Refused
from gesta.client.event import Event
from gesta.client.payloads import decode_answer, decode_plain
from gesta.client.status import from_rpc_error, from_status
from gesta.v1 import aggregate_service_pb2 as wire

R = TypeVar("R")
S = TypeVar("S")


class Change(msgspec.Struct, Generic[S], frozen=True):
    """One version of an aggregate: what happened, and the state on both sides of it."""

    event: Event
    """As it is stored, whatever version its schema has today."""
    before: S
    after: S


class Foreseen(msgspec.Struct, frozen=True):
    """An event that a command would write."""

    event_type: str
    schema_version: int
    data: bytes

    @property
    def payload(self) -> dict[str, Any]:
        """The data, decoded; a new dict each time."""
        payload: dict[str, Any] = decode_answer(decode_plain, self.data, Outcome.NOT_DONE)
        return payload


class Outlook(msgspec.Struct, Generic[S, R], frozen=True):
    """What a command would do. Nothing was written."""

    version: int
    """The aggregate's version after it; where it is refused, the one it was decided at."""
    events: list[Foreseen]
    reply: R | None
    """None where it is refused."""
    refusal: Refused | None
    state: S
    """After it."""
    position: int
    """The head that the answer rests on."""
    token: str


async def read_history(
    connection: Connection,
    aggregate_type: str,
    aggregate_id: str,
    decode: Callable[[bytes], S],
    after_version: int,
    limit: int,
) -> AsyncGenerator[Change[S], None]:
    """Version by version. A connection that breaks is taken up again behind the last one.

    Raises AggregateNotFound, OutOfRange, UnreadableAnswer; ValueError for a limit below 0.
    """
    if limit < 0:
        raise ValueError(f"limit must be 0 (none) or more, not {limit}")
    request = wire.ReadHistoryRequest(
        aggregate_type=aggregate_type,
        aggregate_id=aggregate_id,
        after_version=after_version,
        limit=limit,
    )
    policy, failures = connection.options.retry, 0
    while True:
        try:
            async with aclosing(_call(connection, request, decode)) as changes:
                async for change in changes:
                    failures = 0
                    request.after_version = change.event.version
                    request.limit -= 1 if limit else 0
                    yield change
                    if limit and not request.limit:
                        return
            return
        except AioRpcError as failed:
            error = from_rpc_error(failed)
        failures += 1
        delay_s = policy.delay_s(error, failures)
        if delay_s is None:
            raise error
        await asyncio.sleep(delay_s)


async def try_out(
    connection: Connection,
    request: wire.DryRunRequest,
    decode_state: Callable[[bytes], S],
    decode_reply: Callable[[bytes], R],
    timeout_s: float | None,
) -> Outlook[S, R]:
    """The outlook; a refusal is part of it. Raises OutOfRange, UnreadableAnswer."""
    answer = await connection.ask(
        connection.aggregates.DryRun, request, connection.attempts(timeout_s)
    )
    refusal = from_status(answer.refusal) if answer.HasField("refusal") else None
    assert refusal is None or isinstance(refusal, Refused), "only a refusal is an answer"
    refused = refusal is not None
    return Outlook(
        answer.version,
        [Foreseen(each.event_type, each.schema_version, each.data) for each in answer.events],
        None if refused else decode_answer(decode_reply, answer.reply, Outcome.NOT_DONE),
        refusal,
        decode_answer(decode_state, answer.state, Outcome.NOT_DONE),
        answer.position,
        answer.token,
    )


async def _call(
    connection: Connection, request: wire.ReadHistoryRequest, decode: Callable[[bytes], S]
) -> AsyncGenerator[Change[S], None]:
    connection.check_open()
    call = connection.aggregates.ReadHistory(request)
    before: Any = None
    try:
        async for frame in call:
            for entry in frame.entries:
                if entry.state_before:
                    before = decode_answer(decode, entry.state_before, Outcome.NOT_DONE)
                after = decode_answer(decode, entry.state, Outcome.NOT_DONE)
                yield Change(Event(entry.event), before, after)
                before = after
    except asyncio.CancelledError:
        if connection.ended_here():
            raise ClientClosed("the client was closed during the read") from None
        raise
    finally:
        call.cancel()  # a call that is only dropped is never freed
