"""ProjectionService: how far projections have come, told by them and to those who wait."""

import asyncio
from collections.abc import Mapping
from uuid import UUID

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from gesta.engine.engine import Engine
from gesta.engine.errors import InvalidRequest, Overloaded
from gesta.engine.projections import Standing
from gesta.server.rpc.command_service import time_left
from gesta.server.rpc.guard import Context, parse, unary
from gesta.server.rpc.requests import REQUEST_BYTES_MAX
from gesta.server.rpc.waiting import check_projection, in_time, projection_names, wait_seconds
from gesta.v1.projection_service_pb2 import (
    ListProjectionsRequest,
    ListProjectionsResponse,
    ProjectionReport,
    ReportCheckpointRequest,
    ReportCheckpointResponse,
    WaitForProjectionRequest,
    WaitForProjectionResponse,
)

NAME = "gesta.v1.ProjectionService"


class ProjectionService:
    """The reports of projections."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        return {
            "ReportCheckpoint": unary(self.report_checkpoint, writes=False),
            "ListProjections": unary(self.list_projections, writes=False),
            "WaitForProjection": unary(self.wait_for_projection, writes=False),
        }

    async def report_checkpoint(self, data: bytes, context: Context) -> bytes:
        request = parse(ReportCheckpointRequest, data, REQUEST_BYTES_MAX)
        check_projection(request.name, "name")
        session = request.session
        if len(session) != 16 or UUID(bytes=session).version != 7:
            raise InvalidRequest("session", "must have 16 bytes, a UUID of version 7")
        self._engine.projections.report(request.name, session, self._position(request.token))
        silent_ms = self._engine.limits.projection_silent_ms
        return ReportCheckpointResponse(silent_after_ms=silent_ms).SerializeToString()

    async def list_projections(self, data: bytes, context: Context) -> bytes:
        parse(ListProjectionsRequest, data, REQUEST_BYTES_MAX)
        self._engine.check_readable()
        standings, head = await self._engine.projections.standings()
        return ListProjectionsResponse(
            projections=[_report(each) for each in standings], head=head
        ).SerializeToString()

    async def wait_for_projection(self, data: bytes, context: Context) -> bytes:
        request = parse(WaitForProjectionRequest, data, REQUEST_BYTES_MAX)
        self._engine.check_readable()
        names = projection_names(request.names, "names")
        timeout_ms = request.timeout_ms if request.HasField("timeout_ms") else None
        seconds = wait_seconds(self._engine, timeout_ms, "timeout_ms")
        position = self._position(request.token)
        projections = self._engine.projections
        if projections.full and projections.pending(names, position):
            raise Overloaded("projection_waits_max", 1_000)
        ended: asyncio.Future[tuple[str, ...]] = asyncio.get_running_loop().create_future()
        seconds = in_time(seconds, time_left(context))

        def end(pending: tuple[str, ...]) -> None:
            if not ended.done():  # cancelled: the caller has gone, and this call does not know yet
                ended.set_result(pending)

        wait = projections.wait(names, position, seconds, end)
        try:
            pending = await ended
        finally:
            if wait is not None:
                wait.cancel()  # the caller may have gone
        return WaitForProjectionResponse(pending=pending).SerializeToString()

    def _position(self, token: str) -> int:
        return self._engine.tokens.position(token, self._engine.head, "token")


def _report(standing: Standing) -> ProjectionReport:
    lag, reported_at = Duration(), Timestamp()
    lag.FromMicroseconds(standing.lag_us)
    reported_at.FromMicroseconds(standing.heard_at_us)
    return ProjectionReport(
        name=standing.name,
        position=standing.position,
        lag_events=standing.lag_events,
        lag=lag,
        reported_at=reported_at,
        silent=standing.silent,
        session=standing.session,
    )
