"""Sends commands: with others over a stream, or in a call of their own."""

import asyncio
import zlib
from collections.abc import Awaitable, Mapping, Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from gesta.client.batching import CommandStream
from gesta.client.command_queue import Waiting
from gesta.client.connection import Connection
from gesta.client.event import Event
from gesta.client.ids import command_id_bytes
from gesta.client.options import FRAME_BYTES_MAX
from gesta.client.wire import encode_command, encode_details, encode_timeout
from gesta.v1.command_service_pb2 import ExecuteResponse

_NO_DETAILS = (None,) * 9


class CommandOptions(TypedDict, total=False):
    """What may be said of a command beside what it is. None of it need be."""

    expected_version: int | None
    """The aggregate must stand at this version; 0: not exist. VersionConflict otherwise."""
    must_exist: bool | None
    """AggregateNotFound (True) or AggregateExists (False) otherwise. Not with expected_version."""
    command_id: UUID | str | None
    """A UUID, its text, or a key of your own business such as "invoice-17". Unset: a new one. Asked
    again with it, the server gives the first answer instead of executing again."""
    caused_by: Event | None
    """The event that it answers: its correlation id is taken over, and its id is the causation id,
    unless these are given."""
    correlation_id: str | None
    """What it belongs to. Unset: itself, and what it leads to belongs to it."""
    causation_id: str | None
    """The id of the event or command that led to it."""
    occurred_at: datetime | None
    """When it happened in the world; with a time zone."""
    metadata: Mapping[str, str] | None
    traceparent: str | None
    """W3C trace context; a malformed one counts as none. Unset: Options.current_traceparent."""
    wait_for: str | Sequence[str] | None
    """Projections that are to have the command's events before it is answered. Those that are late
    are in `Done.pending`: it is committed all the same."""
    wait_timeout_s: float | None
    """How long to wait for them, within `timeout_s`; 0: not at all. Unset: as the server is set,
    which is 5 s unless somebody changed it."""
    timeout_s: float | None
    """In all, retries included. Past it: OutcomeUnknown, or DeadlineExceeded if never sent."""


class Commands:
    """The commands of one client."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        options = connection.options
        self._streams = [
            CommandStream(connection.execute_stream, options, connection.budget)
            for _ in range(options.streams if options.batching else 0)
        ]

    def execute(
        self,
        aggregate_type: str,
        aggregate_id: str,
        command: str,
        arguments: bytes,
        *,
        expected_version: int | None = None,
        must_exist: bool | None = None,
        command_id: UUID | str | None = None,
        caused_by: Event | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        occurred_at: datetime | None = None,
        metadata: Mapping[str, str] | None = None,
        traceparent: str | None = None,
        wait_for: str | Sequence[str] | None = None,
        wait_timeout_s: float | None = None,
        timeout_s: float | None = None,
    ) -> Awaitable[ExecuteResponse]:
        """See CommandOptions. The command id is drawn once, so every attempt has the same. What
        comes back must be awaited; no coroutine of its own costs a command 1 µs less."""
        connection = self._connection
        key = connection.ids.draw() if command_id is None else command_id_bytes(command_id)
        attempts = connection.attempts(timeout_s, key)
        if caused_by is not None:
            correlation_id, causation_id = caused_by.effects(correlation_id, causation_id)
        if traceparent is None and connection.options.current_traceparent is not None:
            traceparent = connection.options.current_traceparent()
        details = (
            expected_version,
            must_exist,
            correlation_id,
            causation_id,
            occurred_at,
            metadata,
            traceparent,
            wait_for,
            wait_timeout_s,
        )
        more = b"" if details == _NO_DETAILS else encode_details(*details)
        asked = encode_command(aggregate_type, aggregate_id, command, arguments, key, more)
        # A command larger than a frame goes alone: gRPC's limits then cost nobody else's stream.
        if not self._streams or len(asked) > FRAME_BYTES_MAX:
            return connection.ask(connection.execute, asked, attempts)
        answer: asyncio.Future[ExecuteResponse] = asyncio.get_running_loop().create_future()
        seconds = connection.options.timeout_s if timeout_s is None else timeout_s
        self._stream_of(aggregate_id).put(Waiting(asked, encode_timeout(seconds), answer, attempts))
        return answer

    async def close(self) -> None:
        """Every command is answered by then, but for those of one call each that are late."""
        await asyncio.gather(
            *(stream.close() for stream in self._streams), self._connection.finish()
        )

    def _stream_of(self, aggregate_id: str) -> CommandStream:
        if len(self._streams) == 1:
            return self._streams[0]
        return self._streams[zlib.crc32(aggregate_id.encode()) % len(self._streams)]
