"""Which events to read."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gesta.client.payloads import aggregate_name, event_name
from gesta.v1.event_pb2 import EventFilter, EventFilterItem


@dataclass(frozen=True, kw_only=True)
class Match:
    """Matches an event for which everything that is given holds. Types by name, or by class."""

    aggregate_types: Sequence[str | type] = ()
    event_types: Sequence[str | type] = ()
    id_prefix: str = ""
    correlation_id: str = ""
    """As Event.correlation_id has it."""
    command_id: UUID | None = None

    def __post_init__(self) -> None:
        # A str is a sequence of strs too, and would match nothing, silently.
        if isinstance(self.aggregate_types, str) or isinstance(self.event_types, str):
            raise TypeError("aggregate_types and event_types are sequences of names or classes")
        asked = self.aggregate_types or self.event_types or self.id_prefix
        if not (asked or self.correlation_id or self.command_id):
            raise ValueError("a Match that asks for nothing; for all events give none")


Where = Match | Sequence[Match] | None
"""Events that match any of them; None: all."""


def to_filter(where: Where) -> EventFilter | None:
    """As sent."""
    if where is None:
        return None
    matches = (where,) if isinstance(where, Match) else where
    return EventFilter(
        items=[
            EventFilterItem(
                aggregate_types=[aggregate_name(each) for each in match.aggregate_types],
                event_types=[event_name(each) for each in match.event_types],
                id_prefix=match.id_prefix,
                correlation_id=match.correlation_id,
                command_id=match.command_id.bytes if match.command_id else b"",
            )
            for match in matches
        ]
    )
