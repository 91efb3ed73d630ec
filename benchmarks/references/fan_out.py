"""Bare grpc.aio: a server that sends the same small frame to every stream, so many times a second.

    python -m benchmarks.references.fan_out PER_SECOND

is the server, which prints where it listens. A frame has the moment at which it was made, and about
the bytes of one event.

The server's collector of cycles is tuned as gesta's is, since gRPC is what is to be measured: at
its defaults it takes a part in some bursts, and the p99 to a thousand is 54 to 71 ms instead of 34
to 41.
"""

import asyncio
import gc
import struct
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import grpc

from benchmarks.client import loop_factory
from benchmarks.record import share_of
from gesta.server.tuning import tune

FOLLOW = "/reference.FanOut/Follow"
EVENT_BYTES = 180
MOMENT = struct.Struct("<d")
PER_CONNECTION = 250
SETTLE_S = 0.5
"""Not counted, before and behind."""


async def measure(address: str, subscribers: int, seconds: float) -> dict[str, float]:
    """Deliveries per second, and their times."""
    gc.disable()  # as in the workload that this is compared with
    times: list[tuple[float, float]] = []
    async with AsyncExitStack() as stack:
        connections = -(-subscribers // PER_CONNECTION)
        options = [("grpc.use_local_subchannel_pool", 1)]
        channels = [
            await stack.enter_async_context(grpc.aio.insecure_channel(address, options))
            for _ in range(connections)
        ]
        followers = [_Follower(channels[n % connections], times) for n in range(subscribers)]
        await asyncio.gather(*(each.begun.wait() for each in followers))
        begin = time.time() + SETTLE_S
        end = begin + seconds
        await asyncio.sleep(seconds + 2 * SETTLE_S)
        await asyncio.gather(*(each.leave() for each in followers))
    counted = sorted(taken for made, taken in times if begin <= made < end)
    return {
        "per_second": len(counted) / seconds,
        "p50_ms": 1e3 * share_of(counted, 0.5),
        "p99_ms": 1e3 * share_of(counted, 0.99),
    }


class _Follower:
    """Notes when each frame was made, and how long it took."""

    def __init__(self, channel: grpc.aio.Channel, times: list[tuple[float, float]]) -> None:
        self._channel = channel
        self._times = times
        self.begun = asyncio.Event()
        """Set with the first frame: while others are still to begin, no time is worth counting."""
        self._task = asyncio.create_task(self._follow())

    async def leave(self) -> None:
        self._task.cancel()
        await asyncio.wait({self._task})

    async def _follow(self) -> None:
        call_of: grpc.aio.UnaryStreamMultiCallable[bytes, bytes] = self._channel.unary_stream(
            FOLLOW
        )
        async for frame in call_of(b""):
            now = time.time()
            [made] = MOMENT.unpack_from(frame)
            self._times.append((made, now - made))
            self.begun.set()


class _Frames:
    """The newest frame, for everyone who waits for it."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()
        self._made: list[bytes] = []

    async def make(self, per_second: float) -> None:
        due = time.perf_counter()
        while True:
            due += 1 / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            self._made.append(MOMENT.pack(time.time()) + b"x" * (EVENT_BYTES - MOMENT.size))
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def follow(self, request: bytes, context: object) -> AsyncIterator[bytes]:
        sent = len(self._made)
        while True:
            while sent < len(self._made):
                sent += 1
                yield self._made[sent - 1]
            await self._changed.wait()


async def _serve(per_second: float) -> None:
    frames = _Frames()
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Follow": grpc.unary_stream_rpc_method_handler(frames.follow)
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("reference.FanOut", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    tune()
    print(f"listening 127.0.0.1:{port}", flush=True)
    await frames.make(per_second)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve(float(sys.argv[1])))
