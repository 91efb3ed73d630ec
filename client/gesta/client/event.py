"""One event as a reader gets it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from gesta.client.payloads import decode_event
from gesta.client.times import to_datetime
from gesta.v1.event_pb2 import RecordedEvent


class Event(msgspec.Struct, eq=False, gc=False):
    """A view of a recorded event. Nothing is decoded until it is asked for.

    Two fields and no copy: a reader takes 200,000 of these a second, and most look at three fields.
    A Struct that the garbage collector does not count: an event and a look at two of its fields
    take 0.4 µs, where a class with an `__init__` takes 0.7. Nothing in it leads back to it.
    """

    message: RecordedEvent
    """The protobuf message. Do not change it."""
    _payload: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    @property
    def position(self) -> int:
        """Its place in the log, from 1. To resume reading take a token, not this."""
        return self.message.position

    @property
    def aggregate_type(self) -> str:
        return self.message.aggregate_type

    @property
    def aggregate_id(self) -> str:
        return self.message.aggregate_id

    @property
    def version(self) -> int:
        """Its place among the aggregate's events, from 1."""
        return self.message.version

    @property
    def event_id(self) -> UUID:
        return UUID(bytes=self.message.event_id)

    @property
    def event_type(self) -> str:
        return self.message.event_type

    @property
    def schema_version(self) -> int:
        return self.message.schema_version

    @property
    def data(self) -> bytes:
        """The payload as stored: a JSON object in UTF-8."""
        return self.message.data

    @property
    def payload(self) -> dict[str, Any]:
        """The payload as plain JSON, decoded once; enums, times and decimals are strings here."""
        payload = self._payload
        if payload is msgspec.UNSET:
            payload = self._payload = msgspec.json.decode(self.message.data)
        return payload

    def decode(self, *classes: type) -> Any:
        """The event as an instance of its own class.

        `classes` are @event classes, or @aggregate classes for all events of each. Raises
        gesta.domain's UnknownEvent if none of them is this event in this schema version, and
        UndecodableEvent if the payload does not fit.
        """
        message = self.message
        return decode_event(classes, message.event_type, message.schema_version, message.data)

    @property
    def commit_time(self) -> datetime:
        """When it was committed, in UTC, by the server's clock."""
        return to_datetime(self.message.commit_time)

    @property
    def occurred_at(self) -> datetime | None:
        """When it happened in the world, in UTC, if the writer said so."""
        message = self.message
        return to_datetime(message.occurred_at) if message.HasField("occurred_at") else None

    @property
    def command_id(self) -> UUID:
        """The command it came from; all events of one command share it."""
        return UUID(bytes=self.message.command_id)

    @property
    def correlation_id(self) -> str:
        """What it belongs to; where the writer said nothing, its own command."""
        return self.message.correlation_id or str(self.command_id)

    @property
    def causation_id(self) -> str | None:
        """The event or command that led to it, if the writer said so."""
        return self.message.causation_id or None

    def effects(self, correlation_id: str | None, causation_id: str | None) -> tuple[str, str]:
        """Correlation and causation ids of what this event leads to; what is given stands."""
        return correlation_id or self.correlation_id, causation_id or str(self.event_id)

    @property
    def principal(self) -> str:
        """Who did it, as the server knows it."""
        return self.message.principal

    @property
    def traceparent(self) -> str | None:
        return self.message.traceparent or None

    @property
    def metadata(self) -> Mapping[str, str]:
        return self.message.metadata

    @property
    def more_in_command(self) -> bool:
        """Events of the same command follow. Commit your own work only where this is False; behind
        a filter, where the last one may be missing, only where a batch has a checkpoint."""
        return self.message.more_in_command

    @property
    def part(self) -> int:
        """Which of the events that one stored event is read as, from 0. Together with the position
        it tells any two events apart."""
        return self.message.part

    def __repr__(self) -> str:
        return (
            f"<Event {self.position} {self.aggregate_type}<{self.aggregate_id}> "
            f"v{self.version} {self.event_type} {self.data.decode(errors='replace')}>"
        )
