"""One ExecuteStream: frames of commands in, frames of results out.

A reader task takes frames and hands the commands to the engine; the handler itself writes what has
been answered since its last frame. Commands do not belong to the stream: when it breaks, those that
were read go on, and their answers are remembered under their ids.
"""

import asyncio
from collections.abc import AsyncIterator

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest
from gesta.engine.messages import Accepted
from gesta.server.rpc.guard import Context, parse
from gesta.server.rpc.requests import COMMANDS_PER_FRAME_MAX, REQUEST_BYTES_MAX, Requests
from gesta.server.status import status_of
from gesta.server.wire import encode_response, encode_result, message_field
from gesta.v1.command_service_pb2 import (
    ExecuteRequest,
    ExecuteStreamRequest,
    ExecuteStreamResponse,
)

WINDOW = 4_096
"""Commands of one stream whose results are not written yet: one commit's worth."""

SLICE = 32
"""Commands of one frame that are decided before the writer, and everyone else, gets a turn. A large
frame decided in one go keeps all its callers in step: they decide, commit and reply one after the
other, where they could overlap."""

RESULTS_BYTES_MAX = 1_048_576
"""Bytes of results in one frame, so that no client's limit is met."""


class ExecuteStream:
    """The state of one stream."""

    def __init__(self, engine: Engine, requests: Requests) -> None:
        self._engine = engine
        self._requests = requests
        self._answered: list[tuple[int, Accepted | EngineError]] = []
        self._unanswered = 0
        self._number = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._in_frame = False
        """Between the slices of a frame that was read: all of it is still taken in."""
        self._last_frame = False
        """Read no more."""
        self._draining = False
        self._told = False

    def drain(self) -> None:
        """Read no more, and tell the client so; what was read is answered."""
        self._draining = True
        self._room.set()
        self._news.set()

    @property
    def _open(self) -> int:
        """Commands that were read and whose results are not written."""
        return self._unanswered + len(self._answered)

    async def run(self, frames: AsyncIterator[bytes], context: Context) -> None:
        """Serve the stream until both sides have said all, or the client is gone."""
        await context.write(ExecuteStreamResponse(window=WINDOW).SerializeToString())
        self._reader = asyncio.get_running_loop().create_task(self._read(frames))
        self._reader.add_done_callback(lambda task: self._news.set())
        try:
            while self._open or not self._reader.done():
                await self._news.wait()
                self._news.clear()
                if self._answered:
                    await context.write(self._results())
                if self._answered:
                    self._news.set()
                if self._draining and not self._told:
                    self._told = True
                    await context.write(ExecuteStreamResponse(draining=True).SerializeToString())
                    self._stop_reading(self._reader)
            if not self._reader.cancelled():
                self._reader.result()
        finally:
            self._stop_reading(self._reader)

    def _stop_reading(self, reader: "asyncio.Task[None]") -> None:
        """What was received is executed: a frame in hand is finished, client or no client."""
        self._last_frame = True
        if not self._in_frame:
            reader.cancel()

    async def _read(self, frames: AsyncIterator[bytes]) -> None:
        """Take frames in; ends at the end frame, when the client is gone, or when draining."""
        async for data in frames:
            frame = parse(ExecuteStreamRequest, data, REQUEST_BYTES_MAX)
            if len(frame.commands) > COMMANDS_PER_FRAME_MAX:
                raise InvalidRequest("commands", f"at most {COMMANDS_PER_FRAME_MAX} in a frame")
            self._in_frame = True
            for index, request in enumerate(frame.commands, 1):
                self._execute(request)
                if index % SLICE == 0:
                    await asyncio.sleep(0)
            self._in_frame = False
            while self._open >= WINDOW and not (self._draining or self._last_frame):
                self._room.clear()
                await self._room.wait()
            if frame.end or self._draining or self._last_frame:
                return

    def _execute(self, request: ExecuteRequest) -> None:
        self._number += 1
        number = self._number
        self._unanswered += 1

        def answered(answer: Accepted | EngineError) -> None:
            self._answered.append((number, answer))
            self._unanswered -= 1
            self._news.set()

        try:
            command = self._requests.command(request, answered, None, "")
        except EngineError as error:
            answered(error)
            return
        self._engine.commands.execute(command)

    def _results(self) -> bytes:
        """One frame of what has been answered."""
        mint = self._engine.tokens.mint
        parts: list[bytes] = []
        size = taken = 0
        for number, answer in self._answered:
            if isinstance(answer, Accepted):
                body = message_field(2, encode_response(answer, mint(answer.position)))
            else:
                body = message_field(3, status_of(answer).SerializeToString())
            parts.append(encode_result(number, 2, body))
            taken += 1
            size += len(body)
            if size > RESULTS_BYTES_MAX:
                break
        del self._answered[:taken]
        if self._open < WINDOW:
            self._room.set()
        return b"".join(parts)
