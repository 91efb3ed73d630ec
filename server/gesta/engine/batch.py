"""What has been decided and waits for its commit, and how it becomes a transaction."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from gesta.domain.decide import NewEvent
from gesta.engine.actor import Actor
from gesta.engine.errors import EngineError
from gesta.engine.messages import Accepted, Envelope
from gesta.engine.ports import Randomness
from gesta.store.port import Batch, CommandRecord, EventRecord, Stream

_make = tuple.__new__  # a NamedTuple in a third of the time that calling it takes

Waiter = Callable[[Accepted | EngineError], None]


class Written(NamedTuple):
    """An event that was decided, at the version it will have."""

    stream: Stream
    version: int
    event: NewEvent
    occurred_at_us: int | None
    metadata: bytes | None


@dataclass(slots=True, eq=False)
class Decided:
    """One command, or direct append, that waits for a commit: accepted, or refused on the ground of
    what is not committed yet."""

    command_id: bytes
    fingerprint: bytes
    envelope: Envelope
    waiters: list[Waiter]
    """The caller first, then those who asked the same again meanwhile."""
    events: list[Written] = field(default_factory=list)
    changes: list[tuple[Actor, int, object]] = field(default_factory=list)
    """Each aggregate that changes, with its version and state after."""
    version: int = 0
    reply: bytes = b""
    event_bytes: int = 0
    """Bytes of the events as they are stored: payloads and envelopes."""
    refusal: EngineError | None = None
    memorable: bool = True
    """Whether a refusal is remembered under the command id."""
    position: int = 0
    """Set when the batch is sealed."""

    def last_of(self, stream: Stream, sealed: list[EventRecord]) -> EventRecord:
        """Its last event in a stream that it has one in, among those of its batch."""
        for back, event in enumerate(reversed(self.events)):
            if event.stream is stream:
                return sealed[self.position - back - sealed[0].position]
        raise LookupError(f"no event of {stream}")

    def answer(self, answer: Accepted | EngineError) -> None:
        """Tell everyone who waits, once. Waiters do not raise; of an error each gets his own, for
        he may raise it."""
        waiters, self.waiters = self.waiters, []
        if isinstance(answer, EngineError):
            for waiter in waiters:
                waiter(answer.bare())
        else:
            for index, waiter in enumerate(waiters):
                waiter(again(answer) if index else answer)


class OpenBatch:
    """What goes into one commit, in the order it was decided.

    An actor whose last decision is not committed points at the batch that holds it: its `gate`.
    """

    __slots__ = ("bytes", "event_bytes", "events", "items", "sealed")

    def __init__(self) -> None:
        self.items: list[Decided] = []
        self.events = 0
        self.event_bytes = 0
        self.bytes = 0
        """Of events and replies."""
        self.sealed = False
        """Whether it is on its way to the disk."""

    def seal(self, head: int, commit_time_us: int, randomness: Randomness) -> Batch:
        """Give every event its position, id and time. Writes nothing; may be called once."""
        self.sealed = True
        batch = Batch(commit_time_us)
        event_id = first_event_id(commit_time_us, randomness)
        position = head
        for item in self.items:
            if item.refusal is not None:
                continue
            envelope, last = item.envelope, len(item.events) - 1
            for index, (stream, version, event, occurred_at_us, metadata) in enumerate(item.events):
                position += 1
                event_type, schema_version, data = event
                fields = (
                    position,
                    stream.aggregate_type,
                    stream.aggregate_id,
                    version,
                    event_id.to_bytes(16, "big"),
                    event_type,
                    schema_version,
                    data,
                    item.command_id,
                    index != last,
                    commit_time_us,
                    occurred_at_us,
                    envelope.correlation_id,
                    envelope.causation_id,
                    envelope.principal,
                    envelope.traceparent,
                    metadata,
                )
                batch.events.append(_make(EventRecord, fields))
                batch.streams.append(stream)
                event_id += 1
            item.position = position
            answer = (
                item.command_id,
                item.fingerprint,
                item.version,
                position,
                last + 1,
                commit_time_us,
                item.reply,
            )
            batch.commands.append(_make(CommandRecord, answer))
        return batch


def again(answer: Accepted) -> Accepted:
    """The same answer, to somebody who repeats the command."""
    return answer._replace(replayed=True)


def first_event_id(commit_time_us: int, randomness: Randomness) -> int:
    """A UUID version 7 as an integer, from which the events of one commit count on.

    The top bit of its random tail is 0, so that counting cannot run over into the variant.
    """
    chance = int.from_bytes(randomness.bytes(10), "big")
    tail = chance & ((1 << 61) - 1)
    middle = (chance >> 64) & 0xFFF
    return (commit_time_us // 1_000) << 80 | 7 << 76 | middle << 64 | 2 << 62 | tail
