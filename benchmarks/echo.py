"""The reference: what one unary call costs here with grpc.aio and nothing behind it."""

import asyncio
import time

import grpc

_METHOD = "/reference.Echo/Echo"
_PAYLOAD = b"x" * 100
"""About the size of a small command."""


async def measure(address: str, callers: int, seconds: float) -> float:
    """Calls per second with that many callers, each with one call at a time."""
    async with grpc.aio.insecure_channel(address) as channel:
        call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(_METHOD)
        await call(_PAYLOAD)
        end = time.perf_counter() + seconds
        done = 0

        async def caller() -> None:
            nonlocal done
            while time.perf_counter() < end:
                await call(_PAYLOAD)
                done += 1

        begun = time.perf_counter()
        await asyncio.gather(*(caller() for _ in range(callers)))
        return done / (time.perf_counter() - begun)


async def _serve() -> None:
    async def echo(request: bytes, context: object) -> bytes:
        return request

    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "Echo": grpc.unary_unary_rpc_method_handler(echo)
    }
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("reference.Echo", handlers),)
    )
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(f"listening 127.0.0.1:{port}", flush=True)
    await server.wait_for_termination()


if __name__ == "__main__":
    asyncio.run(_serve())
