"""What a verification has found: plain records, ready to be printed."""

from dataclasses import dataclass, field
from enum import StrEnum

ERROR_CHARS_MAX = 500
"""Of an error's text, which may quote a payload of a megabyte."""


class Reading(StrEnum):
    """How the code reads events of one type and version."""

    CURRENT = "current"
    UPCAST = "upcast"
    UNKNOWN = "unknown"
    """It does not: the events are kept, but an aggregate that has one cannot be loaded."""
    NOT_HOSTED = "not_hosted"
    """Nor does it have to, as it does not host the aggregate type."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The first of its kind."""

    aggregate_id: str
    version: int
    position: int
    event_type: str
    schema_version: int
    error: str


@dataclass(slots=True)
class EventTypeReport:
    """Events of one type and schema version, as they are stored in one type of aggregate."""

    event_type: str
    schema_version: int
    reading: Reading
    events: int = 0
    events_failing: int = 0
    """Of these, that cannot be read, or be folded after the events before. Behind the first of a
    stream nothing can be folded, and only reading counts."""
    first_failure: Failed | None = None


@dataclass(slots=True)
class AggregateTypeReport:
    """All streams of one type of aggregate."""

    aggregate_type: str
    hosted: bool
    streams: int = 0
    streams_failing: int = 0
    """Of these, that could not be loaded, or whose state is not right."""
    events: int = 0
    events_failing: int = 0
    snapshots: int = 0
    """That a server with this code would begin at; each was held against the fold."""
    first_failure: Failed | None = None
    event_types: list[EventTypeReport] = field(default_factory=list)


@dataclass(slots=True)
class Report:
    """What was found, by aggregate type, in the order in which they are met."""

    head: int
    aggregate_types: list[AggregateTypeReport] = field(default_factory=list)

    @property
    def is_well(self) -> bool:
        """Whether the code can take the log over."""
        return not any(each.streams_failing for each in self.aggregate_types)
