"""What an index of events can be asked for."""

from typing import NamedTuple

from gesta.engine.filters import correlation_of
from gesta.store.port import EventRecord


class Sought(NamedTuple):
    """All that a reader can be given: events of these stored types, or of this correlation."""

    event_types: frozenset[str]
    correlation_id: str

    def is_met_by(self, record: EventRecord) -> bool:
        if self.event_types:
            return record.event_type in self.event_types
        return correlation_of(record) == self.correlation_id
