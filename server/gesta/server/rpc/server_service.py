"""ServerService: what the server is and what it allows."""

from collections.abc import Mapping
from importlib.metadata import version
from uuid import UUID

import grpc

from gesta.engine.engine import Engine
from gesta.server.rpc.fields import ID_BYTES_MAX
from gesta.server.rpc.guard import Context, parse, unary
from gesta.server.rpc.requests import COMMANDS_PER_FRAME_MAX, REQUEST_BYTES_MAX
from gesta.v1.server_service_pb2 import GetServerInfoRequest, GetServerInfoResponse, Limits

NAME = "gesta.v1.ServerService"


class ServerService:
    """Facts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        return {"GetServerInfo": unary(self.get_server_info, writes=False)}

    async def get_server_info(self, data: bytes, context: Context) -> bytes:
        parse(GetServerInfoRequest, data, REQUEST_BYTES_MAX)
        engine, limits = self._engine, self._engine.limits
        return GetServerInfoResponse(
            server_version=version("gesta"),
            log_id=str(UUID(bytes=engine.log.log_id)),
            incarnation=engine.log.incarnations[-1].number,
            head=engine.head,
            token=engine.tokens.mint(engine.head),
            aggregate_types=sorted(engine.catalog.types),
            limits=Limits(
                request_bytes_max=REQUEST_BYTES_MAX,
                commands_per_frame_max=COMMANDS_PER_FRAME_MAX,
                events_per_command_max=limits.events_per_command_max,
                bytes_per_command_max=limits.bytes_per_command_max,
                bytes_per_event_max=limits.bytes_per_event_max,
                metadata_bytes_max=limits.metadata_bytes_max,
                aggregate_id_bytes_max=ID_BYTES_MAX,
                command_id_window_s=limits.command_id_window_s,
            ),
        ).SerializeToString()
