"""What a call, or a command's share of a frame, costs with grpc.aio and nothing behind it; or with
nothing but the disk.

    python -m benchmarks.references.echo DIR

is the server, which prints where it listens, and keeps a file in DIR.
"""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import grpc

from benchmarks.client import loop_factory
from benchmarks.processes import Running
from gesta.server.tuning import tune

UNARY, FLUSHED, FRAMES = (f"/reference.Echo/{name}" for name in ("Unary", "Flushed", "Frames"))
COMMAND = b"x" * 100
"""About the size of a small command."""
IN_FLIGHT = 2
"""Frames: one is under way while the next is made."""
WARM_S = 0.5
"""Not counted, as for gesta's loads: the connection, and the first calls."""


async def measure(
    address: str, pid: int, callers: int, seconds: float, method: str
) -> dict[str, float]:
    """Commands per second of so many callers at once: each a call of its own, or, by FRAMES, all of
    them in a few frames, as if each frame were assembled from what the callers ask."""
    server = Running(address, pid)
    async with grpc.aio.insecure_channel(address) as channel:
        await _asked(channel, method, callers, time.perf_counter() + WARM_S)
        cpu_s, own_s, begun = server.cpu_s(), time.process_time(), time.perf_counter()
        done = await _asked(channel, method, callers, begun + seconds)
        return {
            "per_second": done / (time.perf_counter() - begun),
            "server_us": 1e6 * (server.cpu_s() - cpu_s) / done,
            "client_us": 1e6 * (time.process_time() - own_s) / done,
        }


async def _asked(channel: grpc.aio.Channel, method: str, callers: int, end: float) -> int:
    if method == FRAMES:
        return await _frames(channel, callers, end)
    return await _calls(channel, method, callers, end)


async def _calls(channel: grpc.aio.Channel, method: str, callers: int, end: float) -> int:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    done = 0

    async def caller() -> None:
        nonlocal done
        while time.perf_counter() < end:
            await call(COMMAND)
            done += 1

    await asyncio.gather(*(caller() for _ in range(callers)))
    return done


async def _frames(channel: grpc.aio.Channel, callers: int, end: float) -> int:
    method: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(FRAMES)
    call = method()
    in_flight = min(IN_FLIGHT, callers)
    frame = COMMAND * (callers // in_flight)
    for _ in range(in_flight):
        await call.write(frame)
    done = 0
    while time.perf_counter() < end:
        answer = await call.read()
        assert answer == frame
        done += len(answer) // len(COMMAND)
        await call.write(frame)
    call.cancel()
    return done


class _Flushing:
    """A disk and nothing else: what is asked while one write is flushed goes into the next."""

    def __init__(self, file: Path) -> None:
        self._file = os.open(file, os.O_CREAT | os.O_WRONLY)
        self._waiting: list[asyncio.Future[None]] = []
        self._task: asyncio.Task[None] | None = None

    async def written(self) -> None:
        """Returns once a kilobyte for it is on the disk."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(done)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        while self._waiting:
            flushed, self._waiting = self._waiting, []
            await asyncio.to_thread(self._flush, len(flushed))
            for each in flushed:
                each.set_result(None)
        self._task = None

    def _flush(self, calls: int) -> None:
        os.pwrite(self._file, bytes(1_024 * calls), 0)
        os.fdatasync(self._file)


async def _serve(data: Path) -> None:
    flushing = _Flushing(data / "flushed")

    async def unary(request: bytes, context: object) -> bytes:
        return request

    async def flushed(request: bytes, context: object) -> bytes:
        await flushing.written()
        return request

    async def frames(requests: AsyncIterator[bytes], context: object) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Flushed": grpc.unary_unary_rpc_method_handler(flushed),
        "Frames": grpc.stream_stream_rpc_method_handler(frames),
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("reference.Echo", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    tune()  # as gesta's own
    print(f"listening 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(Path(sys.argv[1])))
