"""Sends commands: with others over a stream, or in a call of their own."""

import asyncio
import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from gesta.client.attempts import Attempts
from gesta.client.batching import CommandStream
from gesta.client.command_queue import Waiting
from gesta.client.connection import Connection
from gesta.client.errors import GestaError
from gesta.client.ids import CommandIds, command_id_bytes
from gesta.client.options import FRAME_BYTES_MAX
from gesta.client.times import to_duration, to_timestamp
from gesta.v1.command_service_pb2 import ExecuteRequest, ExecuteResponse


class CommandOptions(TypedDict, total=False):
    """What may be said of a command beside what it is. None of it need be."""

    expected_version: int | None
    """The aggregate must stand at this version; 0: not exist. VersionConflict otherwise."""
    must_exist: bool | None
    """AggregateNotFound (True) or AggregateExists (False) otherwise. Not with expected_version."""
    command_id: UUID | str | None
    """A UUID, its text, or a key of your own business such as "invoice-17". Unset: a new one. Asked
    again with it, the server gives the first answer instead of executing again."""
    correlation_id: str | None
    causation_id: str | None
    occurred_at: datetime | None
    """When it happened in the world; with a time zone."""
    metadata: Mapping[str, str] | None
    traceparent: str | None
    timeout_s: float | None
    """In all, retries included. Past it: OutcomeUnknown, or DeadlineExceeded if never sent."""


class Commands:
    """The commands of one client."""

    def __init__(self, connection: Connection, ids: CommandIds) -> None:
        self._connection = connection
        self._ids = ids
        options = connection.options
        self._streams = [
            CommandStream(connection.commands.ExecuteStream, options)
            for _ in range(options.streams if options.batching else 0)
        ]

    async def execute(
        self,
        aggregate_type: str,
        aggregate_id: str,
        command: str,
        arguments: bytes,
        *,
        expected_version: int | None = None,
        must_exist: bool | None = None,
        command_id: UUID | str | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        occurred_at: datetime | None = None,
        metadata: Mapping[str, str] | None = None,
        traceparent: str | None = None,
        timeout_s: float | None = None,
    ) -> ExecuteResponse:
        """See CommandOptions. The command id is drawn once, so every attempt has the same."""
        if expected_version is not None and must_exist is not None:
            raise ValueError("give expected_version or must_exist, not both")
        key = self._ids.draw() if command_id is None else command_id_bytes(command_id)
        seconds = self._connection.options.timeout_s if timeout_s is None else timeout_s
        request = ExecuteRequest(
            aggregate_type=aggregate_type,
            aggregate_id=aggregate_id,
            command=command,
            arguments=arguments,
            expected_version=expected_version,
            command_id=key,
            correlation_id=correlation_id,
            causation_id=causation_id,
            occurred_at=None if occurred_at is None else to_timestamp(occurred_at),
            metadata=metadata,
            traceparent=traceparent,
            timeout=to_duration(seconds),
        )
        if must_exist is not None:
            request.must_exist = must_exist
        attempts = self._connection.attempts(seconds, key)
        # A command larger than a frame goes alone: gRPC's limits then cost nobody else's stream.
        if not self._streams or request.ByteSize() > FRAME_BYTES_MAX:
            return await self._connection.ask(self._connection.commands.Execute, request, attempts)
        return await self._stream(request, attempts)

    async def close(self) -> None:
        """Every command is answered by then."""
        await asyncio.gather(*(stream.close() for stream in self._streams))

    async def _stream(self, request: ExecuteRequest, attempts: Attempts) -> ExecuteResponse:
        loop = asyncio.get_running_loop()
        stream = self._streams[0] if len(self._streams) == 1 else self._stream_of(request)
        waiting = Waiting(request, loop.create_future(), attempts)
        while True:
            try:
                stream.put(waiting)
                answer = await waiting.answer
            except GestaError as error:
                await attempts.pause(error)
                waiting.again(loop.create_future())
            else:
                attempts.answered()
                return answer

    def _stream_of(self, request: ExecuteRequest) -> CommandStream:
        return self._streams[zlib.crc32(request.aggregate_id.encode()) % len(self._streams)]
