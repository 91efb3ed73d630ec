"""What the engine is asked, and what it answers. Plain records: no transport, no storage."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from gesta.engine.errors import EngineError


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is recorded beside every event of a command."""

    principal: str = "anonymous"
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    occurred_at_us: int | None = None
    metadata: bytes | None = None
    """A flat JSON object of strings."""
    bytes_per_event: int = field(init=False)
    """Bytes of it that are stored with each event. Taken once, for limits count them per event."""

    def __post_init__(self) -> None:
        texts = (self.principal, self.correlation_id, self.causation_id, self.traceparent)
        size = sum(len(text.encode()) for text in texts if text) + len(self.metadata or b"")
        object.__setattr__(self, "bytes_per_event", size)


ANONYMOUS = Envelope()


class Accepted(NamedTuple):
    """The command is committed."""

    version: int
    position: int
    event_count: int
    reply: bytes
    command_id: bytes
    replayed: bool
    pending: tuple[str, ...] = ()
    """Projections that were waited for and had not come as far when the wait ended."""


@dataclass(slots=True, eq=False)
class Command:
    """A command on its way. Its fields are checked already: they are of the right form and size."""

    aggregate_type: str
    aggregate_id: str
    name: str
    arguments: bytes
    command_id: bytes
    on_answer: Callable[[Accepted | EngineError], None]
    """Called once, from the event loop, never before `Engine.execute` has the command. Must not
    raise and must not block."""
    expected_version: int | None = None
    must_exist: bool | None = None
    deadline: float | None = None
    """By Clock.monotonic; past it an undecided command is dropped."""
    envelope: Envelope = ANONYMOUS


class Check(NamedTuple):
    """What must hold of one aggregate before an append; one of the last two is set."""

    aggregate_type: str
    aggregate_id: str
    expected_version: int | None
    must_exist: bool | None


class Proposed(NamedTuple):
    """An event that somebody wants appended."""

    aggregate_type: str
    aggregate_id: str
    event_type: str
    schema_version: int
    data: bytes
    """A JSON object, which is the edge's to check: for a type that is hosted the event's class
    decodes it, for any other nobody here looks into it."""
    occurred_at_us: int | None
    metadata: bytes | None


@dataclass(frozen=True, slots=True)
class Append:
    """Events to write without a command, all or none."""

    events: Sequence[Proposed]
    checks: Sequence[Check]
    command_id: bytes
    fingerprint: bytes
    """16 bytes over all that is asked."""
    envelope: Envelope = ANONYMOUS
    """Without metadata and time of occurrence: here each event has its own."""
