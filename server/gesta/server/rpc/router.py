"""Finds the handler of a method. Generic on purpose: since grpcio 1.84 every call costs time in
proportion to the methods that are registered by name, and a generic handler counts as none."""

from collections.abc import AsyncIterator, Iterable, Mapping

import grpc

from gesta.engine.errors import Starting
from gesta.server.rpc import reflection
from gesta.server.rpc.guard import Context, abort
from gesta.server.status import status_of

Methods = Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]


class Router(grpc.GenericRpcHandler):
    """Answers STARTING for every method of `services` until `serve` is called."""

    def __init__(self, services: Iterable[str], always: Mapping[str, Methods]) -> None:
        self._services = frozenset(services)
        self._starting = True
        self._handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {}
        self._add(always)
        reflected = reflection.methods([*services, *always])
        self._add(dict.fromkeys(reflection.NAMES, reflected))

    def serve(self, services: Mapping[str, Methods]) -> None:
        """Put the services in place."""
        self._add(services)
        self._starting = False

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> "grpc.RpcMethodHandler[bytes, bytes] | None":
        method = handler_call_details.method
        if self._starting and method.split("/")[1] in self._services:
            return _STARTING
        return self._handlers.get(method)

    def _add(self, services: Mapping[str, Methods]) -> None:
        for name, methods in services.items():
            for method, handler in methods.items():
                self._handlers[f"/{name}/{method}"] = handler


async def _refuse(requests: AsyncIterator[bytes], context: Context) -> None:
    await abort(context, status_of(Starting()))


_STARTING: "grpc.RpcMethodHandler[bytes, bytes]" = grpc.stream_stream_rpc_method_handler(_refuse)
"""Fits a method of any kind: on the wire a unary call is a stream of one."""
