"""What a call, or a command's share of a frame, costs with grpc.aio and nothing behind it.

    python -m benchmarks.references.echo

is the server, which prints where it listens.
"""

import asyncio
import time
from collections.abc import AsyncIterator

import grpc

from benchmarks.client import loop_factory

UNARY, FRAMES = "/reference.Echo/Unary", "/reference.Echo/Frames"
COMMAND = b"x" * 100
"""About the size of a small command."""
IN_FLIGHT = 2
"""Frames: one is under way while the next is made."""


async def measure(address: str, callers: int, seconds: float, framed: bool) -> dict[str, float]:
    """Commands per second of so many callers at once: each a call of its own, or all of them in a
    few frames, as if each frame were assembled from what the callers ask."""
    async with grpc.aio.insecure_channel(address) as channel:
        begun = time.perf_counter()
        measured = _frames if framed else _calls
        done = await measured(channel, callers, begun + seconds)
        return {"per_second": done / (time.perf_counter() - begun)}


async def _calls(channel: grpc.aio.Channel, callers: int, end: float) -> int:
    call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(UNARY)
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


async def _serve() -> None:
    async def unary(request: bytes, context: object) -> bytes:
        return request

    async def frames(requests: AsyncIterator[bytes], context: object) -> AsyncIterator[bytes]:
        async for request in requests:
            yield request

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "Frames": grpc.stream_stream_rpc_method_handler(frames),
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("reference.Echo", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_serve())
