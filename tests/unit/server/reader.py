"""The far end of a stream of commands, in place of gRPC: it reads when the test says so."""

import asyncio
from collections.abc import AsyncIterator

from gesta.v1.command_service_pb2 import ExecuteResult, ExecuteStreamRequest, ExecuteStreamResponse


async def settle() -> None:
    """Let everything run that can run without a thread."""
    for _ in range(2_000):
        await asyncio.sleep(0)


class Reader:
    """A call's context, as far as a stream asks for one."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self._room = asyncio.Semaphore(1)

    def read_one(self) -> None:
        """Take a frame, or the next one that comes."""
        self._room.release()

    def read_on(self) -> None:
        """Take everything, from now on."""
        for _ in range(100_000):
            self._room.release()

    @property
    def results(self) -> list[ExecuteResult]:
        frames = [ExecuteStreamResponse.FromString(frame) for frame in self.frames]
        return [result for frame in frames for result in frame.results]

    async def write(self, frame: bytes) -> None:
        """As gRPC's: returns once the client has made room. The first frame always finds some."""
        await self._room.acquire()
        self.frames.append(frame)


class Sender:
    """The client's frames; as many as the stream has asked for are gone."""

    def __init__(self, *frames: ExecuteStreamRequest) -> None:
        self._frames = list(frames)

    @property
    def left(self) -> int:
        return len(self._frames)

    async def frames(self) -> AsyncIterator[bytes]:
        while self._frames:
            yield self._frames.pop(0).SerializeToString()
