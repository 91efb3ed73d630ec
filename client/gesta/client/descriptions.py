"""What the server says of itself, as plain values."""

from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from gesta.v1.aggregate_service_pb2 import AggregateTypeDescription as Described
from gesta.v1.server_service_pb2 import GetServerInfoResponse

Schema = dict[str, Any]
"""A JSON Schema, draft 2020-12."""


class Limits(NamedTuple):
    """What a request may not exceed."""

    request_bytes_max: int
    commands_per_frame_max: int
    events_per_command_max: int
    bytes_per_command_max: int
    bytes_per_event_max: int
    metadata_bytes_max: int
    aggregate_id_bytes_max: int
    command_id_window_s: int


class ServerInfo(NamedTuple):
    """What the server is, and where its log stands."""

    server_version: str
    log_id: UUID
    incarnation: int
    """The life of the log that is being written; one more after each restore."""
    head: int
    token: str
    """Stands for the head."""
    aggregate_types: tuple[str, ...]
    """Empty: a pure event store, which takes any type."""
    limits: Limits


class CommandDescription(NamedTuple):
    """A command that an aggregate type understands."""

    name: str
    description: str
    arguments_schema: Schema
    reply_schema: Schema
    rejections: tuple[str, ...]


class QueryDescription(NamedTuple):
    """A query that an aggregate type answers."""

    name: str
    description: str
    arguments_schema: Schema
    reply_schema: Schema


class EventDescription(NamedTuple):
    """An event that an aggregate type may write."""

    event_type: str
    schema_version: int
    description: str
    schema: Schema
    older_versions: tuple[int, ...]
    """Earlier ones that are read where they are stored, oldest first."""


class RetiredEventDescription(NamedTuple):
    """An event that an aggregate type no longer writes, and still reads."""

    event_type: str
    schema_versions: tuple[int, ...]
    read_as: tuple[str, ...]
    """Event types; none where it is dropped."""


class AggregateTypeDescription(NamedTuple):
    """What an aggregate type understands and keeps."""

    name: str
    description: str
    commands: Sequence[CommandDescription]
    queries: Sequence[QueryDescription]
    events: Sequence[EventDescription]
    state_schema: Schema
    retired_events: Sequence[RetiredEventDescription]


def server_info(answer: GetServerInfoResponse) -> ServerInfo:
    """From the wire."""
    limits = answer.limits
    return ServerInfo(
        answer.server_version,
        UUID(answer.log_id),
        answer.incarnation,
        answer.head,
        answer.token,
        tuple(answer.aggregate_types),
        Limits(*(getattr(limits, name) for name in Limits._fields)),
    )


def aggregate_type_description(answer: Described) -> AggregateTypeDescription:
    """From the wire."""
    return AggregateTypeDescription(
        answer.name,
        answer.description,
        [
            CommandDescription(
                each.name,
                each.description,
                _schema(each.arguments_schema),
                _schema(each.reply_schema),
                tuple(each.rejections),
            )
            for each in answer.commands
        ],
        [
            QueryDescription(
                each.name,
                each.description,
                _schema(each.arguments_schema),
                _schema(each.reply_schema),
            )
            for each in answer.queries
        ],
        [
            EventDescription(
                each.event_type,
                each.schema_version,
                each.description,
                _schema(each.schema),
                tuple(each.older_versions),
            )
            for each in answer.events
        ],
        _schema(answer.state_schema),
        [
            RetiredEventDescription(
                each.event_type, tuple(each.schema_versions), tuple(each.read_as)
            )
            for each in answer.retired_events
        ],
    )


def _schema(text: str) -> Schema:
    decoded: Schema = msgspec.json.decode(text) if text else {}
    return decoded
