"""What clients asked, what they were answered and what they saw, in the order it happened.

Moments are of the machine's monotonic clock, so that histories recorded by several processes of one
machine can be held against one log. Only their order is used: an answer with a smaller moment than
a question was there before it was asked.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from tests.history.log import LoggedEvent


class Outcome(Enum):
    """What a caller knows of a command."""

    DONE = "DONE"
    NOT_DONE = "NOT_DONE"
    """Nothing was written, and nothing will be: also what the domain refused."""
    UNKNOWN = "UNKNOWN"
    """Nobody said; also while there is no answer."""


class Write(NamedTuple):
    """An event that a command is to write, with its very bytes."""

    aggregate_type: str
    aggregate_id: str
    event_type: str
    data: bytes


@dataclass(slots=True, eq=False)
class Command:
    """One question, retries of the client's own included. Asking anew with the same id is another
    Command with that id."""

    command_id: bytes
    writes: Sequence[Write]
    invoked: int
    outcome: Outcome = Outcome.UNKNOWN
    position: int = 0
    version: int | None = None
    """Of the aggregate after it; None for an append, which may be to several."""
    reply: int | None = None
    """The figure that was replied, for a domain whose replies are its figures."""


@dataclass(slots=True, eq=False)
class Read:
    """One read of one aggregate."""

    aggregate_type: str
    aggregate_id: str
    invoked: int
    version: int | None = None
    """0: it does not exist. None: not answered."""
    position: int | None = None
    """The head that the answer rests on, where it says so."""
    figure: int | None = None


@dataclass(slots=True, eq=False)
class Seen:
    """What one subscriber of all events was given, beginning after a position."""

    after: int
    events: list[LoggedEvent] = field(default_factory=list)
    waited_for: int = 0
    """The position up to which he was given time to come."""

    @property
    def position(self) -> int:
        """How far it has come."""
        return self.events[-1].position if self.events else self.after


class History:
    """Made by one process. `now` gives moments; they must never run backwards."""

    def __init__(self, now: Callable[[], int] = time.monotonic_ns) -> None:
        self._now = now
        self.commands: list[Command] = []
        """By the moment they were asked, as are the reads."""
        self.reads: list[Read] = []
        self.seen: list[Seen] = []
        self.known: list[tuple[int, int]] = []
        """At this moment somebody had been told that the log holds this position."""

    def invoke(self, command_id: bytes, writes: Sequence[Write]) -> Command:
        """Call it before the command is sent."""
        command = Command(command_id, writes, self._now())
        self.commands.append(command)
        return command

    def done(
        self,
        command: Command,
        position: int,
        version: int | None = None,
        reply: int | None = None,
    ) -> None:
        """It was acknowledged."""
        command.outcome = Outcome.DONE
        command.position, command.version, command.reply = position, version, reply
        self.known.append((self._now(), position))

    def not_done(self, command: Command) -> None:
        """It is certain that it was not done. Without a call, or with none, it stays UNKNOWN."""
        command.outcome = Outcome.NOT_DONE

    def ask(self, aggregate_type: str, aggregate_id: str) -> Read:
        """Call it before the read is sent."""
        read = Read(aggregate_type, aggregate_id, self._now())
        self.reads.append(read)
        return read

    def answered(self, read: Read, version: int, position: int | None, figure: int | None) -> None:
        """The read's answer."""
        read.version, read.position, read.figure = version, position, figure
        if position is not None:
            self.known.append((self._now(), position))

    def subscriber(self, after: int = 0) -> Seen:
        """One that begins after the position."""
        seen = Seen(after)
        self.seen.append(seen)
        return seen

    def take(self, seen: Seen, events: Iterable[LoggedEvent]) -> None:
        """The subscriber was given these, in this order."""
        before = len(seen.events)
        seen.events.extend(events)
        if len(seen.events) > before:
            self.known.append((self._now(), seen.position))
