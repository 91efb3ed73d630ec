"""The standard health service (grpc.health.v1): one answer for the server and all its services.

Our own, because the package's asyncio servicer writes to its watchers while it holds its lock, so
that one of them that has stopped reading stops the others.
"""

import asyncio
from collections.abc import Iterable, Mapping

import grpc
from grpc_health.v1 import health_pb2

from gesta.server.rpc.guard import Context, parse, server_stream, unary
from gesta.server.rpc.slots import Slots

NAME = "grpc.health.v1.Health"
_REQUEST_BYTES_MAX = 4_096
_Status = health_pb2.HealthCheckResponse.ServingStatus


class Health:
    """SERVING between `up` and `down`."""

    def __init__(self, services: Iterable[str], watches_max: int) -> None:
        self._services = frozenset(services) | {"", NAME}
        self._status: int = _Status.Value("NOT_SERVING")
        self._changed = asyncio.Event()
        self._closed = False
        self._watches = Slots("health_watches_max", watches_max)

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        return {
            "Check": unary(self.check, writes=False),
            "Watch": server_stream(self.watch, self._watches),
        }

    def up(self) -> None:
        self._set(_Status.Value("SERVING"))

    def down(self) -> None:
        """For good: watchers are told, and their calls end."""
        self._closed = True
        self._set(_Status.Value("NOT_SERVING"))

    async def check(self, data: bytes, context: Context) -> bytes:
        request = parse(health_pb2.HealthCheckRequest, data, _REQUEST_BYTES_MAX)
        if request.service not in self._services:
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service here")
        return self._response(self._status)

    async def watch(self, data: bytes, context: Context) -> None:
        request = parse(health_pb2.HealthCheckRequest, data, _REQUEST_BYTES_MAX)
        known = request.service in self._services
        while True:
            # All three before the write, during which they may change: then it tells that, too.
            changed, closed = self._changed, self._closed
            status = self._status if known else _Status.Value("SERVICE_UNKNOWN")
            await context.write(self._response(status))
            if closed:
                return
            await changed.wait()

    def _set(self, status: int) -> None:
        self._status = status
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    @staticmethod
    def _response(status: int) -> bytes:
        return bytes(health_pb2.HealthCheckResponse(status=status).SerializeToString())
