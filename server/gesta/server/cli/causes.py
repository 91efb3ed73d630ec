"""What led to what: commands and their events, as trees."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

from gesta.client import Event


@dataclass(eq=False)
class Caused:
    """A command or append, by what it wrote. `caused_by_command` and `caused_by_event` say what led
    to it, as far as that is here: a root has neither."""

    command_id: UUID
    caused_by_command: UUID | None = None
    caused_by_event: UUID | None = None
    events: list[Event] = field(default_factory=list)


class Step(NamedTuple):
    """A place on the way through the trees."""

    at: Caused | Event
    depth: int
    """How many commands are above it."""
    indent: int
    """How many commands and events are above it."""


class Causes:
    """The trees of some events, which are in order of position."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._commands: dict[UUID, Caused] = {}
        self._owners: dict[UUID, UUID] = {}
        """Which command an event is of, by its id."""
        self._below: dict[UUID | None, list[Caused]] = {}
        """Commands by the event, else the command, that led to them; under None the roots."""
        for event in events:
            command = self._commands.get(event.command_id) or self._begin(event)
            command.events.append(event)
            self._owners[event.event_id] = event.command_id

    def walk(self) -> Iterator[Step]:
        """Each command, then its events, each followed by what it led to; roots by position.

        Not by recursion: chains may be thousands of commands deep.
        """
        ahead = [Step(root, 0, 0) for root in reversed(self._below.get(None, []))]
        while ahead:
            step = ahead.pop()
            yield step
            at, depth, indent = step
            following: list[Caused | Event]
            if isinstance(at, Caused):
                depth += 1
                following = [*at.events, *self._below.get(at.command_id, [])]
            else:
                following = [*self._below.get(at.event_id, [])]
            ahead += [Step(each, depth, indent + 1) for each in reversed(following)]

    def _begin(self, first: Event) -> Caused:
        """A command is below what came before it and nowhere else, so no tree bites its tail."""
        command = Caused(first.command_id)
        cause = _uuid(first.causation_id)
        if cause in self._owners:
            command.caused_by_command, command.caused_by_event = self._owners[cause], cause
        elif cause in self._commands:
            command.caused_by_command = cause
        else:
            cause = None
        self._commands[command.command_id] = command
        self._below.setdefault(cause, []).append(command)
        return command


def _uuid(text: str | None) -> UUID | None:
    """None for what is no id of an event or command."""
    try:
        return UUID(text)
    except (TypeError, ValueError):
        return None
