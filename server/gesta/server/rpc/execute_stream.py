"""One ExecuteStream: frames of commands in, frames of results out.

A reader task takes frames and hands the commands to the engine; the handler itself writes what has
been answered since its last frame. Commands do not belong to the stream: when it breaks, those that
were read go on, and their answers are remembered under their ids.
"""

import asyncio
from collections.abc import AsyncIterator, Callable

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest, Overloaded
from gesta.engine.messages import Accepted
from gesta.server.rpc.guard import Context, parse, write
from gesta.server.rpc.intake import SLICE_MIN, Intake, Parcel
from gesta.server.rpc.requests import COMMANDS_PER_FRAME_MAX, REQUEST_BYTES_MAX
from gesta.server.rpc.results import RESULT_BYTES, encode_answer, result_bytes
from gesta.server.rpc.unread import Unread
from gesta.v1.command_service_pb2 import (
    ExecuteStreamRequest,
    ExecuteStreamResponse,
)

RESULTS_BYTES_MAX = 1_048_576
"""Bytes of results that one stream may have waiting for its client, those included that commands
under way are expected to have: beyond it no command is taken. No frame is larger, either."""

WINDOW = RESULTS_BYTES_MAX // RESULT_BYTES
"""Commands of one stream whose results are not written yet, where replies are small: one commit's
worth."""

_RESULTS_MAX = 128
"""Results that are written in one go: a quarter of what the stream has open, up to this, so that
callers do not fall in step: 16,000 commands/s at 256 callers instead of 13,000, one run. Where more
than twice as many are there, half of them: a write takes a few turns of the loop, and whoever is
refused is to hear of it soon."""

_EXPECTED_BYTES = RESULTS_BYTES_MAX // SLICE_MIN
"""What a result is expected to have before the first one is there: enough that a slice fills it."""

_EXPECTED_SHIFT = 3
"""A result moves what is expected by an eighth of the difference."""


class ExecuteStream:
    """The state of one stream."""

    def __init__(self, engine: Engine, intake: Intake, unread: Unread) -> None:
        self._engine = engine
        self._intake = intake
        self._unread = unread
        self._answered: list[tuple[int, int, Accepted | EngineError]] = []
        """Number, bytes and answer of what is not written yet."""
        self._answered_bytes = 0
        """Of these, and of the frame that is being written."""
        self._unanswered = 0
        self._expected_bytes = _EXPECTED_BYTES
        """Of a result, going by those before."""
        self._number = 0
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._in_frame = False
        """A frame was read: all of it is still taken in."""
        self._last_frame = False
        """Read no more."""
        self._left = False
        """Nobody is there to be answered any more."""
        self._draining = False
        self._told = False

    def drain(self) -> None:
        """Read no more, and tell the client so; what was read is answered."""
        self._draining = True
        self._room.set()
        self._news.set()

    async def run(self, frames: AsyncIterator[bytes], context: Context) -> None:
        """Serve the stream until both sides have said all, or the client is gone."""
        await context.write(ExecuteStreamResponse(window=WINDOW).SerializeToString())
        self._reader = asyncio.get_running_loop().create_task(self._read(frames))
        self._reader.add_done_callback(lambda task: self._news.set())
        try:
            while self._unanswered or self._answered or not self._reader.done():
                await self._news.wait()
                self._news.clear()
                if self._answered:
                    await self._write_results(context)
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
            self._leave()

    def _stop_reading(self, reader: "asyncio.Task[None]") -> None:
        """What was received is executed: a frame in hand is finished, client or no client."""
        self._last_frame = True
        if not self._in_frame:
            reader.cancel()

    def _leave(self) -> None:
        """What was not written never will be: forget it, and let a frame in hand be finished."""
        self._left = True
        self._answered.clear()
        self._unread.bytes -= self._answered_bytes
        self._room.set()

    async def _read(self, frames: AsyncIterator[bytes]) -> None:
        """Take frames in; ends at the end frame, when the client is gone, or when draining."""
        async for data in frames:
            frame = parse(ExecuteStreamRequest, data, REQUEST_BYTES_MAX)
            if len(frame.commands) > COMMANDS_PER_FRAME_MAX:
                raise InvalidRequest("commands", f"at most {COMMANDS_PER_FRAME_MAX} in a frame")
            self._in_frame = True
            try:
                parcel = self._intake.let_in(len(frame.commands), len(data))
            except Overloaded as error:
                self._refuse(len(frame.commands), error)
            else:
                await self._take(frame, parcel)
            self._in_frame = False
            if not frame.end:
                await self._wait_for_room()
            if frame.end or self._draining or self._last_frame:
                return

    def _refuse(self, commands: int, error: Overloaded) -> None:
        """Answer a frame that is not let in, at little cost: there may be many."""
        size, first = result_bytes(error), self._number + 1
        self._number += commands
        self._answered.extend((number, size, error) for number in range(first, first + commands))
        self._answered_bytes += commands * size
        self._unread.bytes += commands * size
        self._news.set()

    async def _take(self, frame: ExecuteStreamRequest, parcel: Parcel) -> None:
        """Hand a frame's commands on, as there is room for their results."""
        for request in frame.commands:
            if self._is_full():
                await self._wait_for_room()
            self._intake.put(parcel, request, self._expected())

    def _is_full(self) -> bool:
        """Whether the results to come would be too many bytes; never without any to come."""
        expected = self._answered_bytes + self._unanswered * self._expected_bytes
        return expected >= RESULTS_BYTES_MAX and not (self._draining or self._left)

    async def _wait_for_room(self) -> None:
        while self._is_full():
            self._room.clear()
            await self._room.wait()

    def _expected(self) -> Callable[[Accepted | EngineError], None]:
        """Count one more command; what is returned takes its answer."""
        self._number += 1
        number = self._number
        self._unanswered += 1

        def answered(answer: Accepted | EngineError) -> None:
            self._unanswered -= 1
            if self._left:
                return
            size = result_bytes(answer)
            self._answered.append((number, size, answer))
            self._answered_bytes += size
            self._unread.bytes += size
            self._expected_bytes += (size - self._expected_bytes) >> _EXPECTED_SHIFT
            self._news.set()
            self._room.set()  # perhaps: the result may be smaller than was expected

        return answered

    async def _write_results(self, context: Context) -> None:
        """Write one frame of what has been answered; its bytes are let go once it is written."""
        mint = self._engine.tokens.mint
        parts: list[bytes] = []
        answered = len(self._answered)
        part = min(_RESULTS_MAX, (self._unanswered + answered) // 4)
        size, most = 0, max(SLICE_MIN, part, answered // 2 if answered > 2 * _RESULTS_MAX else 0)
        for number, result_size, answer in self._answered:
            if parts and (size + result_size > RESULTS_BYTES_MAX or len(parts) == most):
                break
            size += result_size
            parts.append(encode_answer(number, 2, answer, mint))
        del self._answered[: len(parts)]
        await write(context, b"".join(parts), writes=True)
        self._answered_bytes -= size
        self._unread.bytes -= size
        self._room.set()
