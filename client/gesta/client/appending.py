"""Writing events without a command: imports, repositories, other writers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from uuid import UUID

import msgspec

from gesta.client.connection import Connection
from gesta.client.event import Event
from gesta.client.ids import CommandIds, command_id_bytes
from gesta.client.payloads import aggregate_name, type_of_event
from gesta.client.results import Appended
from gesta.client.times import to_timestamp
from gesta.v1 import event_service_pb2 as wire


@dataclass(frozen=True)
class NewEvent:
    """An event to append. `NewEvent.of` makes one from an instance of an @event class."""

    aggregate_type: str
    aggregate_id: str
    event_type: str
    data: Mapping[str, object] | bytes
    """The payload: a JSON object, as a mapping or encoded already."""
    schema_version: int = field(default=1, kw_only=True)
    occurred_at: datetime | None = field(default=None, kw_only=True)
    """When it happened in the world; with a time zone."""
    metadata: Mapping[str, str] | None = field(default=None, kw_only=True)

    @classmethod
    def of(
        cls,
        aggregate: str | type,
        aggregate_id: str,
        event: object,
        *,
        occurred_at: datetime | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> Self:
        """Raises gesta.domain's Unserialisable for an event that its encoding would change."""
        event_type = type_of_event(type(event))
        return cls(
            aggregate_name(aggregate),
            aggregate_id,
            event_type.name,
            event_type.encode(event)[0],
            schema_version=event_type.schema_version,
            occurred_at=occurred_at,
            metadata=metadata,
        )


@dataclass(frozen=True)
class Check:
    """What must hold of one aggregate before anything is appended: exactly one of the two."""

    aggregate_type: str
    aggregate_id: str
    expected_version: int | None = field(default=None, kw_only=True)
    """It stands at this version; 0: it does not exist."""
    must_exist: bool | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if (self.expected_version is None) == (self.must_exist is None):
            raise ValueError("a Check needs expected_version or must_exist, and not both")


async def append(
    connection: Connection,
    ids: CommandIds,
    events: Sequence[NewEvent],
    checks: Sequence[Check] = (),
    *,
    command_id: UUID | str | None = None,
    caused_by: Event | None = None,
    correlation_id: str | None = None,
    causation_id: str | None = None,
    traceparent: str | None = None,
    timeout_s: float | None = None,
) -> Appended:
    """See Client.append."""
    key = ids.draw() if command_id is None else command_id_bytes(command_id)
    if caused_by is not None:
        correlation_id, causation_id = caused_by.effects(correlation_id, causation_id)
    if traceparent is None and connection.options.current_traceparent is not None:
        traceparent = connection.options.current_traceparent()
    request = wire.AppendEventsRequest(
        checks=[_stream_check(each) for each in checks],
        command_id=key,
        correlation_id=correlation_id,
        causation_id=causation_id,
        traceparent=traceparent,
    )
    _add(request, events)
    attempts = connection.attempts(timeout_s, key)
    answer = await connection.ask(connection.events.AppendEvents, request, attempts)
    return Appended(
        answer.first_position, answer.position, answer.token, answer.replayed, answer.command_id
    )


def _add(request: wire.AppendEventsRequest, events: Sequence[NewEvent]) -> None:
    """Each is made in its place: made by itself and copied into the request it takes twice as long.
    What is not given takes no time."""
    add, encode = request.events.add, msgspec.json.encode
    for event in events:
        data = event.data
        added = add(
            aggregate_type=event.aggregate_type,
            aggregate_id=event.aggregate_id,
            event_type=event.event_type,
            schema_version=event.schema_version,
            data=data if isinstance(data, bytes) else encode(data),
        )
        if event.occurred_at is not None:
            added.occurred_at.CopyFrom(to_timestamp(event.occurred_at))
        if event.metadata:
            added.metadata.update(event.metadata)


def _stream_check(check: Check) -> wire.StreamCheck:
    sent = wire.StreamCheck(
        aggregate_type=check.aggregate_type,
        aggregate_id=check.aggregate_id,
        expected_version=check.expected_version,
    )
    if check.must_exist is not None:
        sent.must_exist = check.must_exist
    return sent
