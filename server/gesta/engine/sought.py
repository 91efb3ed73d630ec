"""What an index of events can be asked for."""

from typing import NamedTuple


class Sought(NamedTuple):
    """All that a reader can be given: events of these stored types, or of this correlation."""

    event_types: frozenset[str]
    correlation_id: str
