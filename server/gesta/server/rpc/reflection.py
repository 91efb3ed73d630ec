"""Server reflection, under both of its names: v1 for new tools, v1alpha for the others.

The two are the same on the wire. The v1 name is not in the list of services, because its own
descriptor is not in the pool, and tools that meet it there give up.
"""

from collections.abc import Iterable, Mapping

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

NAMES = ("grpc.reflection.v1.ServerReflection", reflection.SERVICE_NAME)


def methods(services: Iterable[str]) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
    """The handlers, to be registered under each of NAMES."""
    servicer = reflection.aio.ReflectionServicer([*services, reflection.SERVICE_NAME])
    return {
        "ServerReflectionInfo": grpc.stream_stream_rpc_method_handler(
            servicer.ServerReflectionInfo,
            request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
            response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
        )
    }
