"""One ExecuteStream call, from its first frame to its end."""

import asyncio
import contextlib
from collections.abc import Callable

import grpc
from google.protobuf.message import DecodeError
from grpc.aio import AioRpcError, StreamStreamCall

from gesta.client.command_queue import CommandQueue, Waiting
from gesta.client.errors import GestaError, Unrecognised
from gesta.client.retry import RetryBudget
from gesta.client.status import from_rpc_error, from_status
from gesta.client.wire import END
from gesta.v1.command_service_pb2 import ExecuteStreamResponse

Call = StreamStreamCall[bytes, bytes]


class Session:
    """Sends what the queue holds, within the window, and hands out the answers.

    Nothing is sent before the server's first frame: a stream that could not be opened then has
    certainly carried no command. A lone command is sent at the next turn of the loop; while a frame
    is being written, the commands of other callers gather for the next.
    """

    def __init__(
        self,
        call: Call,
        queue: CommandQueue,
        window_max: int,
        budget: RetryBudget,
        failed: Callable[[Waiting, GestaError], None],
    ) -> None:
        self._call = call
        self._queue = queue
        self._window_max = window_max
        self._budget = budget
        self._failed = failed
        """Called with each command that was answered with an error."""
        self._window = 0
        self._next_number = 1
        self._draining = False
        self.opened = False
        """Whether the server's first frame came."""
        self.moved = False
        """Whether it has answered anything."""
        self.unanswered: dict[int, Waiting] = {}
        """By number, so in the order sent."""

    async def run(self) -> GestaError | None:
        """Returns when the stream has ended: the error it ended with, None for a clean end.

        The call is cancelled on every path; a call that is only dropped is never freed.
        """
        writer: asyncio.Task[None] | None = None
        try:
            while isinstance(data := await self._call.read(), bytes):
                frame = ExecuteStreamResponse.FromString(data)
                if writer is None:
                    self.opened = True
                    self._window = min(frame.window or self._window_max, self._window_max)
                    writer = asyncio.create_task(self._write())
                self._take(frame)
            code = await self._call.code()
            if code is grpc.StatusCode.OK:
                return None
            return Unrecognised(await self._call.details() or "", code=code)
        except AioRpcError as error:
            return from_rpc_error(error)
        except DecodeError:
            return Unrecognised("a frame of answers makes no sense", code=grpc.StatusCode.INTERNAL)
        finally:
            self._call.cancel()
            if writer is not None:
                writer.cancel()
                await asyncio.wait({writer})

    async def _write(self) -> None:
        queue = self._queue
        # A write fails only when the call has ended, and the reader is told why.
        with contextlib.suppress(AioRpcError, asyncio.InvalidStateError):
            while not self._draining and not queue.closed:
                before = len(self.unanswered)
                room = self._window - before
                frame = queue.next_frame(room, self._next_number, self.unanswered)
                if frame:
                    self._next_number += len(self.unanswered) - before
                    await self._call.write(frame)
                else:
                    queue.changed.clear()
                    await queue.changed.wait()
            await self._call.write(END)
            await self._call.done_writing()

    def _take(self, frame: ExecuteStreamResponse) -> None:
        unanswered = self.unanswered
        accepted = 0
        for result in frame.results:
            self.moved = True
            waiting = unanswered.pop(result.number, None)
            if waiting is None or waiting.answer.done():
                continue
            if result.HasField("response"):
                accepted += 1
                waiting.answer.set_result(result.response)
            else:
                self._failed(waiting, from_status(result.error))
        self._budget.answered(accepted)
        if frame.draining:
            self._draining = True
        if self._draining or len(self._queue):
            self._queue.changed.set()
