"""The methods of AggregateService that look back: states as they stood, histories, dry runs."""

from gesta.engine.engine import Engine
from gesta.engine.errors import InvalidRequest
from gesta.engine.history import Moment, Outlook
from gesta.engine.messages import ANONYMOUS
from gesta.server.rpc.fields import NAME_CHARS_MAX, check_id, check_type, time_us
from gesta.server.rpc.guard import Context, parse, write
from gesta.server.rpc.requests import REQUEST_BYTES_MAX
from gesta.server.status import status_of
from gesta.server.wire import encode_event, message_field
from gesta.v1.aggregate_service_pb2 import (
    DryRunEvent,
    DryRunRequest,
    DryRunResponse,
    GetAggregateRequest,
    ReadHistoryRequest,
)


def moment_of(request: GetAggregateRequest) -> Moment | None:
    """When to look; None for now."""
    match request.WhichOneof("at"):
        case "at_version":
            return Moment(version=request.at_version)
        case "at_position":
            return Moment(position=request.at_position)
        case "at_time":
            return Moment(time_us=time_us(request.at_time, "at_time"))
    return None


class Histories:
    """ReadHistory and DryRun."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def read_history(self, data: bytes, context: Context) -> None:
        request = parse(ReadHistoryRequest, data, REQUEST_BYTES_MAX)
        check_aggregate(self._engine, request.aggregate_type, request.aggregate_id, "")
        if request.limit < 0:
            raise InvalidRequest("limit", "must not be negative")
        steps = self._engine.history.steps(
            request.aggregate_type,
            request.aggregate_id,
            request.after_version,
            request.limit or None,
        )
        frame: list[bytes] = []
        size = 0
        async for step in steps:
            entry = _entry(encode_event(step.record), step.before, step.after)
            if frame and size + len(entry) > self._engine.limits.frame_bytes_max:
                await write(context, b"".join(frame))
                frame, size = [], 0
            frame.append(entry)
            size += len(entry)
        if frame:
            await write(context, b"".join(frame))

    async def dry_run(self, data: bytes, context: Context) -> bytes:
        request = parse(DryRunRequest, data, REQUEST_BYTES_MAX)
        check_aggregate(
            self._engine, request.aggregate_type, request.aggregate_id, request.min_token
        )
        if not 0 < len(request.command) <= NAME_CHARS_MAX:
            raise InvalidRequest("command", f"must have 1 to {NAME_CHARS_MAX} characters")
        at_version = request.at_version if request.HasField("at_version") else None
        outlook = await self._engine.history.outlook(
            request.aggregate_type,
            request.aggregate_id,
            request.command,
            request.arguments or b"{}",
            ANONYMOUS.principal,
            at_version,
        )
        return self._response(outlook).SerializeToString()

    def _response(self, outlook: Outlook) -> DryRunResponse:
        refusal = None if outlook.refusal is None else status_of(outlook.refusal)
        return DryRunResponse(
            version=outlook.version,
            events=[
                DryRunEvent(event_type=name, schema_version=version, data=data)
                for name, version, data in outlook.events
            ],
            reply=outlook.reply,
            refusal=refusal,
            state=outlook.state,
            position=outlook.head,
            token=self._engine.tokens.mint(outlook.head),
        )


def check_aggregate(engine: Engine, aggregate_type: str, aggregate_id: str, min_token: str) -> None:
    """What is checked of every question about one aggregate.

    Answers are given from the head, so a token needs no waiting, only to be of this log.
    """
    engine.check_readable()
    check_type(aggregate_type, "aggregate_type")
    check_id(aggregate_id, "aggregate_id")
    if min_token:
        engine.tokens.position(min_token, engine.head, "min_token")


def _entry(event: bytes, before: bytes | None, after: bytes) -> bytes:
    """A HistoryEntry as an item of ReadHistoryResponse.entries."""
    body = event + (b"" if before is None else message_field(2, before)) + message_field(3, after)
    return message_field(1, body)
