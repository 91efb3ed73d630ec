"""One channel with every generated stub on it, and errors taken apart."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import grpc
import msgspec
from google.rpc import error_details_pb2, status_pb2

from gesta.v1 import command_service_pb2 as commands
from gesta.v1 import event_service_pb2 as events
from gesta.v1.aggregate_service_pb2_grpc import AggregateServiceStub
from gesta.v1.command_service_pb2_grpc import CommandServiceStub
from gesta.v1.event_pb2 import RecordedEvent
from gesta.v1.event_service_pb2_grpc import EventServiceStub
from gesta.v1.projection_service_pb2_grpc import ProjectionServiceStub
from gesta.v1.server_service_pb2 import GetServerInfoRequest
from gesta.v1.server_service_pb2_grpc import ServerServiceStub

TIMEOUT_S = 60.0
"""No call of a test waits longer; nothing is measured by it."""

OPTIONS = [("grpc.max_send_message_length", 64 << 20), ("grpc.max_receive_message_length", -1)]


class Problem(NamedTuple):
    """An error as a client sees it."""

    code: grpc.StatusCode
    reason: str
    outcome: str
    field: str
    metadata: Mapping[str, str]
    domain: str
    message: str
    """Everything that is text in it, for the search for what should not be."""


class Caller:
    """The stubs of one channel, and the calls that many tests make."""

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self.channel = channel
        self.address = address
        self.commands = CommandServiceStub(channel)
        self.events = EventServiceStub(channel)
        self.aggregates = AggregateServiceStub(channel)
        self.projections = ProjectionServiceStub(channel)
        self.server = ServerServiceStub(channel)

    async def execute(
        self, aggregate_id: str, command: str, arguments: object = None, **fields: Any
    ) -> commands.ExecuteResponse:
        """A command for a Tally."""
        request = command_for(aggregate_id, command, arguments, **fields)
        return await self.commands.Execute(request, timeout=TIMEOUT_S)

    async def append(
        self, aggregate_id: str, *payloads: bytes, aggregate_type: str = "Tally", **fields: Any
    ) -> events.AppendEventsResponse:
        """Events of type Added."""
        new = [
            events.NewEvent(
                aggregate_type=aggregate_type,
                aggregate_id=aggregate_id,
                event_type="Added",
                data=data,
            )
            for data in payloads
        ]
        request = events.AppendEventsRequest(events=new, **fields)
        return await self.events.AppendEvents(request, timeout=TIMEOUT_S)

    async def read(self, **fields: Any) -> list[RecordedEvent]:
        """Everything a ReadEvents gives."""
        call = self.events.ReadEvents(events.ReadEventsRequest(**fields), timeout=TIMEOUT_S)
        return [event async for frame in call for event in frame.events]

    async def head(self) -> int:
        info = await self.server.GetServerInfo(GetServerInfoRequest(), timeout=TIMEOUT_S)
        return info.head


@asynccontextmanager
async def connected(address: str, options: Sequence[tuple[str, Any]] = ()) -> AsyncIterator[Caller]:
    """A channel of one's own, closed at the end."""
    async with grpc.aio.insecure_channel(address, options=[*OPTIONS, *options]) as channel:
        yield Caller(channel, address)


def command_for(
    aggregate_id: str, command: str, arguments: object = None, **fields: Any
) -> commands.ExecuteRequest:
    """`arguments`: an object to be encoded, or bytes as they are."""
    encoded = arguments if isinstance(arguments, bytes) else msgspec.json.encode(arguments or {})
    fields.setdefault("aggregate_type", "Tally")
    return commands.ExecuteRequest(
        aggregate_id=aggregate_id, command=command, arguments=encoded, **fields
    )


def problem_of(error: grpc.aio.AioRpcError) -> Problem:
    """What a failed call says. Reason and outcome are empty where gesta did not speak."""
    packed = next((v for k, v in error.trailing_metadata() if k == "grpc-status-details-bin"), b"")
    status = status_pb2.Status.FromString(packed)
    problem = problem_of_status(status)
    assert not packed or (status.code == error.code().value[0] and status.message)
    return problem._replace(code=error.code(), message=f"{error.details()} {problem.message}")


def problem_of_status(status: status_pb2.Status) -> Problem:
    """What a result on a stream, or the details of a call, say."""
    info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
    for detail in status.details:
        detail.Unpack(info)
        detail.Unpack(bad)
    metadata = dict(info.metadata)
    field = metadata.get("field", "")
    assert all(violation.field == field for violation in bad.field_violations)
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    text = f"{status.message} {status.details}"
    return Problem(
        code, info.reason, metadata.get("outcome", ""), field, metadata, info.domain, text
    )
