"""Reading the log, or a part of it, to its present end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from grpc.aio import AioRpcError

from gesta.client.connection import Connection
from gesta.client.errors import ClientClosed
from gesta.client.event import Event
from gesta.client.filters import Where, to_filter
from gesta.client.payloads import aggregate_name
from gesta.client.status import from_rpc_error
from gesta.client.times import to_timestamp
from gesta.v1.event_service_pb2 import ReadEventsRequest

Source = tuple[str | type, str]
"""One aggregate: its type, by name or class, and its id. For a whole type use a Match."""
After = str | int | datetime
"""A token; a position, or the version where one aggregate is read; or a commit time."""


class Reading:
    """Iterate over it for events, or over `batches()` for lists of them; each time reads anew.

    A connection that breaks is taken up again behind the last event, for as many attempts without
    progress as the client's retry policy allows. There is no time limit: a long read takes long.
    """

    def __init__(self, connection: Connection, request: ReadEventsRequest) -> None:
        self._connection = connection
        self._request = request
        self.token: str | None = None
        """Set when everything was read: stands for the head that the read went up to."""
        self.head: int | None = None
        """That head's position."""

    async def __aiter__(self) -> AsyncGenerator[Event, None]:
        async with aclosing(self.batches()) as batches:
            async for events in batches:
                for event in events:
                    yield event

    async def batches(self) -> AsyncGenerator[list[Event], None]:
        """Events as the server sends them, up to 64 KiB together. Never an empty list."""
        request = ReadEventsRequest()
        request.CopyFrom(self._request)
        limited = request.limit > 0
        policy = self._connection.options.retry
        failures = 0
        while True:
            try:
                async with aclosing(self._call(request)) as batches:
                    async for events in batches:
                        failures = 0
                        _go_on_behind(events, request, limited)
                        yield events
                return
            except AioRpcError as failed:
                if limited and request.limit <= 0:
                    return  # only the news of the head was lost
                error = from_rpc_error(failed)
            failures += 1
            delay_s = policy.delay_s(error, failures)
            if delay_s is None:
                raise error
            await self._connection.pause(delay_s)

    async def _call(self, request: ReadEventsRequest) -> AsyncGenerator[list[Event], None]:
        self._connection.check_open()
        call = self._connection.events.ReadEvents(request)
        try:
            async for frame in call:
                if frame.token:
                    self.token, self.head = frame.token, frame.head
                if frame.events:
                    yield list(map(Event, frame.events))
        except asyncio.CancelledError:
            if self._connection.ended_here():
                raise ClientClosed("the client was closed during the read") from None
            raise
        finally:
            call.cancel()  # a call that is only dropped is never freed


def reading_request(
    source: Source | None,
    where: Where,
    after: After | None,
    backwards: bool,
    limit: int,
    as_stored: bool,
) -> ReadEventsRequest:
    """As sent. Raises ValueError for a limit below 0 or a time without a zone."""
    if limit < 0:
        raise ValueError(f"limit must be 0 (none) or more, not {limit}")
    request = ReadEventsRequest(
        backwards=backwards, limit=limit, filter=to_filter(where), as_stored=as_stored
    )
    if source is not None:
        request.aggregate_type, request.aggregate_id = aggregate_name(source[0]), source[1]
    if isinstance(after, str):
        request.after_token = after
    elif isinstance(after, datetime):
        request.after_time.CopyFrom(to_timestamp(after))
    elif after is not None:
        _start_at(request, after)
    return request


def _start_at(request: ReadEventsRequest, place: int) -> None:
    if request.aggregate_id:
        request.after_version = place
    else:
        request.after_position = place


def _go_on_behind(events: list[Event], request: ReadEventsRequest, limited: bool) -> None:
    """The same request, for what follows these events."""
    last = events[-1]
    _start_at(request, last.version if request.aggregate_id else last.position)
    if limited:  # counted as stored: the parts of one event share its position
        request.limit -= min(len({event.position for event in events}), request.limit)
