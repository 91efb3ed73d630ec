"""The events of the log, taken apart and indexed in one pass."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from tests.history.violation import Kind, Violation

from gesta.v1.event_pb2 import RecordedEvent

Aggregate = tuple[str, str]


class LoggedEvent(NamedTuple):
    """What must be the same for every reader, for ever."""

    position: int
    aggregate_type: str
    aggregate_id: str
    version: int
    event_id: bytes
    event_type: str
    data: bytes
    command_id: bytes
    more_in_command: bool
    commit_time_us: int

    @property
    def aggregate(self) -> Aggregate:
        return self.aggregate_type, self.aggregate_id


Figure = Callable[[int, LoggedEvent], int]
"""An aggregate's figure, a balance say, after an event; before the first one it is 0."""


def logged(event: RecordedEvent) -> LoggedEvent:
    """An event as it came over the wire."""
    time = event.commit_time
    return LoggedEvent(
        event.position,
        event.aggregate_type,
        event.aggregate_id,
        event.version,
        event.event_id,
        event.event_type,
        event.data,
        event.command_id,
        event.more_in_command,
        time.seconds * 1_000_000 + time.nanos // 1_000,
    )


class Stream:
    """One aggregate: by version, from 1 at index 0."""

    __slots__ = ("figures", "places")

    def __init__(self) -> None:
        self.places: list[int] = []
        self.figures: list[int] = []

    def place(self, version: int) -> int | None:
        """The position of a version; None where there is no such version."""
        return self.places[version - 1] if 0 < version <= len(self.places) else None

    def figure(self, version: int) -> int:
        """What the aggregate came to with a version; 0 before its first."""
        return self.figures[version - 1] if version else 0


class IndexedLog:
    """One full read of the log. `violations` are those that need no history; where there are any,
    the rest of the index cannot be relied upon."""

    def __init__(self, events: Sequence[LoggedEvent], figure: Figure | None) -> None:
        self.events = events
        self.commands: dict[bytes, Sequence[LoggedEvent]] = {}
        """By id, the events that stand together first."""
        self.streams: dict[Aggregate, Stream] = {}
        self.violations = [*self._order(figure), *self._commands()]

    def stream(self, aggregate: Aggregate) -> Stream:
        return self.streams.get(aggregate) or Stream()

    def _order(self, figure: Figure | None) -> Iterator[Violation]:
        ids: set[bytes] = set()
        last_us = 0
        for position, event in enumerate(self.events, 1):
            if event.position != position:
                yield Violation(Kind.POSITION_GAP, f"{event.position} where {position} is next")
                return
            stream = self.streams.get(event.aggregate)
            if stream is None:
                stream = self.streams[event.aggregate] = Stream()
            if event.version != len(stream.places) + 1:
                yield Violation(Kind.VERSION_GAP, f"{event} is version {len(stream.places) + 1}")
            if event.commit_time_us < last_us:
                yield Violation(Kind.TIME_BACKWARDS, f"{event}, after {last_us}")
            if event.event_id in ids:
                yield Violation(Kind.EVENT_ID_TWICE, f"{event}")
            ids.add(event.event_id)
            last_us = event.commit_time_us
            stream.places.append(position)
            if figure is not None:
                before = stream.figures[-1] if stream.figures else 0
                stream.figures.append(figure(before, event))

    def _commands(self) -> Iterator[Violation]:
        begin = 0
        for index, event in enumerate(self.events, 1):
            after = self.events[index] if index < len(self.events) else None
            same = after is not None and after.command_id == event.command_id
            if event.more_in_command and not same:
                yield Violation(Kind.PARTED, f"{event} is not the last of its command")
            if not event.more_in_command:
                if event.command_id in self.commands:
                    yield Violation(Kind.TWICE, f"{event}")
                else:
                    self.commands[event.command_id] = self.events[begin:index]
                begin = index
