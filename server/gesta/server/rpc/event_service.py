"""EventService: reading the log, following it, appending to it."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

import grpc

from gesta.engine.engine import Engine
from gesta.engine.errors import InvalidRequest, OutOfRange
from gesta.engine.reading import ReadRequest
from gesta.engine.views import View
from gesta.server.rpc.fields import check_id, check_type, time_us
from gesta.server.rpc.filters import filter_of
from gesta.server.rpc.guard import Context, parse, server_stream, unary, write
from gesta.server.rpc.requests import REQUEST_BYTES_MAX, Requests
from gesta.server.rpc.slots import Slots
from gesta.server.rpc.subscription import Subscription
from gesta.server.rpc.tracing import traceparent_of
from gesta.v1.event_service_pb2 import (
    AppendEventsRequest,
    AppendEventsResponse,
    ReadEventsRequest,
    ReadEventsResponse,
    SubscribeRequest,
)

NAME = "gesta.v1.EventService"

_HEARTBEAT_S = 5
"""Often enough that a client's keepalive pings are never taken for abuse."""
_HEARTBEAT_S_MAX = 60


class EventService:
    """The log, from outside."""

    def __init__(self, engine: Engine, requests: Requests, reads: Slots) -> None:
        self._engine = engine
        self._requests = requests
        self._reads = reads
        self._subscriptions = Slots("subscriptions_max", engine.limits.subscriptions_max)

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        return {
            "ReadEvents": server_stream(self.read_events, self._reads),
            "Subscribe": server_stream(self.subscribe, self._subscriptions),
            "AppendEvents": unary(self.append_events, writes=True),
        }

    async def read_events(self, data: bytes, context: Context) -> None:
        message = parse(ReadEventsRequest, data, REQUEST_BYTES_MAX)
        self._engine.check_readable()
        head = self._engine.head
        request = self._read_request(message, head)
        async with aclosing(self._engine.reading.frames(request, head)) as frames:
            async for frame in frames:
                await write(context, b"".join(frame))
        last = ReadEventsResponse(token=self._engine.tokens.mint(head), head=head)
        await context.write(last.SerializeToString())

    async def subscribe(self, data: bytes, context: Context) -> None:
        message = parse(SubscribeRequest, data, REQUEST_BYTES_MAX)
        self._engine.check_readable()
        view = View(
            self._engine.evolving,
            filter_of(message.filter, "filter"),
            as_stored=message.as_stored,
        )
        heartbeat_s = message.heartbeat_s or _HEARTBEAT_S
        if not 1 <= heartbeat_s <= _HEARTBEAT_S_MAX:
            raise InvalidRequest("heartbeat_s", f"must be 1 to {_HEARTBEAT_S_MAX}")
        position = 0
        match message.WhichOneof("start"):
            case "after_token":
                position = self._position(message.after_token, "after_token")
            case "from_now":
                position = self._engine.head
        cursor = self._engine.feed.cursor(position, view)
        try:
            await Subscription(self._engine, cursor, heartbeat_s, context).run()
        finally:
            cursor.drop_page()

    async def append_events(self, data: bytes, context: Context) -> bytes:
        request = parse(AppendEventsRequest, data, REQUEST_BYTES_MAX)
        append = self._requests.append(request, traceparent_of(context))
        # Shielded: a caller that goes away cancels its wait, never the write.
        task = asyncio.ensure_future(self._engine.appends.append(append))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
        done = await asyncio.shield(task)
        return AppendEventsResponse(
            first_position=done.position - done.event_count + 1,
            position=done.position,
            token=self._engine.tokens.mint(done.position),
            replayed=done.replayed,
            command_id=done.command_id,
        ).SerializeToString()

    def _position(self, token: str, field: str) -> int:
        return self._engine.tokens.position(token, self._engine.head, field)

    def _read_request(self, message: ReadEventsRequest, head: int) -> ReadRequest:
        of_aggregate = bool(message.aggregate_id)
        start = message.WhichOneof("start")
        if message.aggregate_type:
            check_type(message.aggregate_type, "aggregate_type")
        if of_aggregate:
            check_type(message.aggregate_type, "aggregate_type")
            check_id(message.aggregate_id, "aggregate_id")
        elif message.aggregate_type:
            raise InvalidRequest(
                "aggregate_id", "must be set with aggregate_type; to read a whole type use filter"
            )
        if of_aggregate and message.filter.items:
            raise InvalidRequest("filter", "cannot go with aggregate_id")
        if start is not None and of_aggregate != (start == "after_version"):
            raise InvalidRequest(
                start, "only after_version goes with aggregate_id, and only with it"
            )
        if message.limit < 0:
            raise InvalidRequest("limit", "must not be negative")
        bound, time = None, None
        match start:
            case "after_position":
                bound = message.after_position
                if not 0 <= bound <= head + message.backwards:
                    raise OutOfRange("after_position", bound, head)
            case "after_version":
                bound = message.after_version
            case "after_token":
                bound = self._position(message.after_token, "after_token") + message.backwards
            case "after_time":
                time = time_us(message.after_time, "after_time")
        wanted = filter_of(message.filter, "filter")
        return ReadRequest(
            View(self._engine.evolving, wanted, as_stored=message.as_stored),
            message.aggregate_type,
            message.aggregate_id,
            bound,
            time,
            message.backwards,
            message.limit or None,
        )
