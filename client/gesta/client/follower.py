"""The connection of a subscription: one reader task that resumes where it stopped."""

import asyncio

from grpc import StatusCode
from grpc.aio import AioRpcError, UnaryStreamCall

from gesta.client.connection import Connection
from gesta.client.errors import ClientClosed, DeadlineExceeded, Fault, GestaError, Unrecognised
from gesta.client.handover import Handover
from gesta.client.retry import may_pass
from gesta.client.silence import Silence
from gesta.client.status import from_rpc_error
from gesta.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse

Call = UnaryStreamCall[SubscribeRequest, SubscribeResponse]

FRAMES_AHEAD_MAX_DEFAULT = 2
"""Frames of at most 64 KiB, unless one command is larger, read before they are asked for. Two keep
a reader busy that takes them steadily; what is not read here waits at the server."""

HEARTBEAT_S_DEFAULT = 5
SILENT_HEARTBEATS = 3
"""So many heartbeats missed, and the peer counts as gone though the connection looks alive."""


class Follower:
    """Reads frames into a short queue. A caller that is cancelled while it waits disturbs nothing:
    a read of gRPC's own would take the whole call with it."""

    def __init__(
        self, connection: Connection, request: SubscribeRequest, frames_ahead_max: int
    ) -> None:
        self._connection = connection
        self._request = request
        self._frames = Handover[SubscribeResponse | GestaError](frames_ahead_max)
        self._ended: GestaError | None = None
        self._over = asyncio.Event()
        """Set with `_ended`."""
        self._started = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.last_error: GestaError | None = None

    async def start(self) -> None:
        """Returns when the server has accepted; raises what it answered instead."""
        self._connection.check_open()
        self._task = asyncio.create_task(self._follow())
        self._task.add_done_callback(self._died)
        timeout_s = self._connection.options.timeout_s
        try:
            async with asyncio.timeout(timeout_s):
                await self._started.wait()
        except TimeoutError:
            why = f": {self.last_error}" if self.last_error else ""
            error = DeadlineExceeded(f"no subscription within {timeout_s} s{why}")
            await self.stop(error)
            raise error from self.last_error
        except asyncio.CancelledError:
            await self.stop(ClientClosed("the subscription was given up"))
            raise
        if self.last_error is not None and _ends(self.last_error):
            await self.stop(self.last_error)
            raise self.last_error

    async def next_frame(self) -> SubscribeResponse:
        """Raises the error that ended the subscription, every time."""
        self._check()
        frame = await self._frames.take()
        if isinstance(frame, GestaError):
            self._frames.put_now(frame)  # for whoever else waits
            self._is_over(frame)
            raise frame
        return frame

    async def wait(self, event: asyncio.Event) -> None:
        """Returns when the event is set; raises the error that ended the subscription before."""
        if event.is_set():
            return
        self._check()
        either = [asyncio.create_task(each.wait()) for each in (event, self._over)]
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in either:
                each.cancel()
        if not event.is_set():
            self._check()

    async def stop(self, error: GestaError) -> None:
        """Who waits for a frame, or will, gets `error`. Idempotent."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.wait({self._task})
        self._task = None  # it keeps the error it ended with, which keeps the call and this
        self._end(error)

    async def _follow(self) -> None:
        failures = 0
        while True:
            call = self._connection.events.Subscribe(self._request)
            try:
                error, moved = await self._read(call)
            finally:
                call.cancel()  # a call that is only dropped is never freed
            self.last_error = error
            if _ends(error):
                self._started.set()
                await self._frames.put(error)
                return
            failures = 0 if moved else failures + 1
            await asyncio.sleep(self._connection.options.retry.backoff_s(max(failures, 1)))

    async def _read(self, call: Call) -> tuple[GestaError, bool]:
        """What the call ended with, and whether anything came beyond its being accepted."""
        moved = broken = False

        def hang_up() -> None:
            nonlocal broken
            broken = True
            call.cancel()

        silence_s = SILENT_HEARTBEATS * (self._request.heartbeat_s or HEARTBEAT_S_DEFAULT)
        silence = Silence(silence_s, hang_up)
        try:
            while True:
                silence.listen()
                frame = await call.read()
                silence.heard()
                if not isinstance(frame, SubscribeResponse):
                    return _passing("the server ended the stream"), moved
                moved = moved or frame.WhichOneof("frame") != "started"
                self._note(frame)
                await self._frames.put(frame)
        except AioRpcError as failed:
            return from_rpc_error(failed), moved
        except asyncio.CancelledError:
            if not broken:
                raise
            return _passing(f"nothing was heard for {silence_s} s"), moved
        finally:
            silence.stop()

    def _note(self, frame: SubscribeResponse) -> None:
        """The next call resumes where nothing is missed: after the last checkpoint."""
        request = self._request
        kind = frame.WhichOneof("frame")
        if kind == "batch":
            if checkpoint := frame.batch.checkpoint:
                request.after_token = checkpoint
        elif kind == "checkpoint":
            request.after_token = frame.checkpoint.token
        elif kind == "caught_up":
            request.after_token = frame.caught_up.token
        elif kind == "started":
            request.after_token = frame.started.token
            self.last_error = None
            self._started.set()

    def _check(self) -> None:
        if self._ended is not None:
            raise self._ended
        if self._task is None:
            raise ClientClosed("use the subscription in `async with`")

    def _is_over(self, error: GestaError) -> None:
        self._ended = error
        self._over.set()

    def _end(self, error: GestaError) -> None:
        if self._ended is None:
            self._is_over(error)
            self._frames.clear()
            self._frames.put_now(error)

    def _died(self, task: asyncio.Task[None]) -> None:
        """Of a bug of ours: nobody may wait for ever."""
        failed = None if task.cancelled() else task.exception()
        if failed is not None:
            self._started.set()
            self._end(Unrecognised(f"the subscription failed: {failed!r}"))
            task.get_loop().call_exception_handler(
                {"message": "gesta's subscription failed", "exception": failed, "task": task}
            )


def _ends(error: GestaError) -> bool:
    """A subscription has no last attempt, so a bug at the server must not be asked for for ever."""
    return not may_pass(error) or isinstance(error, Fault)


def _passing(message: str) -> GestaError:
    return Unrecognised(message, code=StatusCode.UNAVAILABLE)
