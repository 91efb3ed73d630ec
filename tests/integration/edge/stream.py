"""One ExecuteStream, frame by frame, and a store that can be held while it commits."""

import asyncio

import grpc
from tests.integration.edge.caller import TIMEOUT_S, Caller

from gesta.store.memory import MemoryStore
from gesta.store.port import Batch
from gesta.v1.command_service_pb2 import (
    ExecuteRequest,
    ExecuteResult,
    ExecuteStreamRequest,
    ExecuteStreamResponse,
)


class CommandStream:
    """What was sent, and what was answered so far. Ends with `end`, `leave` or `cancel`."""

    def __init__(self, caller: Caller) -> None:
        self._call = caller.commands.ExecuteStream(timeout=TIMEOUT_S)
        self.results: list[ExecuteResult] = []
        """In the order they came."""
        self.window = 0
        self.drained = False

    async def send(self, *requests: ExecuteRequest) -> None:
        await self._call.write(ExecuteStreamRequest(commands=requests))

    async def end(self, *requests: ExecuteRequest) -> None:
        """The last commands, and the frame that says so."""
        await self._call.write(ExecuteStreamRequest(commands=requests, end=True))

    async def leave(self) -> None:
        """Close this side without a word."""
        await self._call.done_writing()

    def cancel(self) -> None:
        self._call.cancel()

    async def next(self) -> bool:
        """Take a frame in; False at the end of the stream. Raises AioRpcError."""
        frame = await self._call.read()
        if not isinstance(frame, ExecuteStreamResponse):
            assert await self._call.code() == grpc.StatusCode.OK
            return False
        assert bool(frame.window) == (not self.window), "the window is on the first frame"
        assert not (self.drained and frame.draining), "draining is said once"
        self.window = self.window or frame.window
        self.drained = self.drained or frame.draining
        self.results.extend(frame.results)
        return True

    async def answered(self, count: int) -> list[ExecuteResult]:
        """All results, once there are so many."""
        while len(self.results) < count:
            assert await self.next()
        return self.results

    async def rest(self) -> list[ExecuteResult]:
        """All results, at the end of the stream."""
        while await self.next():
            pass
        return self.results


class HeldStore(MemoryStore):
    """Commits when it is let, from the moment it is held."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.free.set()
        self.committing = asyncio.Event()
        """Set when a commit has begun that is held."""

    def hold(self) -> None:
        self.free.clear()
        self.committing.clear()

    def release(self) -> None:
        self.free.set()

    async def append(self, batch: Batch) -> None:
        if not self.free.is_set():
            self.committing.set()
            await self.free.wait()
        await super().append(batch)
