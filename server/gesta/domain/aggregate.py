"""Aggregates: the frozen state that decides."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, field, fields
from typing import Any, Self, TypeVar, dataclass_transform

from gesta.domain import source
from gesta.domain.annotation import hints_of, record_shape
from gesta.domain.codec import Codec
from gesta.domain.command import Command, Query
from gesta.domain.contract import CommandType, QueryType
from gesta.domain.errors import (
    DefinitionError,
    ForeignEvent,
    HandlerFailed,
    UnknownEvent,
    Unserialisable,
)
from gesta.domain.event import EventType, event_type_of_class
from gesta.domain.names import check_name
from gesta.domain.record import frozen
from gesta.domain.signature import command_type, members_of, query_type

T = TypeVar("T")

SNAPSHOT_EVERY_EVENTS = 100
"""Folding so many small events takes well under a millisecond."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def aggregate(
    name: str, *, snapshot_every: int = SNAPSHOT_EVERY_EVENTS
) -> Callable[[type[T]], type[T]]:
    """Makes a class a frozen, slotted dataclass: the state of aggregates of type `name`.

    Every field has a default, for the state before the first event is the class called without
    arguments. `evolve(self, event: A | B) -> Self` lists the events and folds one; methods marked
    @command and @query are the contract. `snapshot_every` counts events.
    Raises DefinitionError for whatever could not be hosted, so that it fails at import.
    """

    def decorate(cls: type[T]) -> type[T]:
        check_name(name, f"@aggregate on {cls.__qualname__}")
        if not isinstance(snapshot_every, int) or snapshot_every < 1:
            raise DefinitionError(cls.__qualname__, "snapshot_every must be 1 or more events")
        made = frozen(cls)
        made.__gesta_aggregate__ = AggregateType(  # type: ignore[attr-defined]
            made, name, snapshot_every
        )
        return made

    return decorate


class AggregateType:
    """One aggregate class: its events, commands, queries, and the encoding of its state."""

    def __init__(self, state_class: type, name: str, snapshot_every: int) -> None:
        self.name = name
        self.state_class = state_class
        self.snapshot_every = snapshot_every
        self.initial: Any = _initial(state_class)
        """The state at version 0. One object for all: states are immutable."""
        self.state = Codec(
            record_shape(state_class, state_class.__qualname__), f"the state of {name}"
        )
        self._fold = _evolve(state_class)
        self._by_class = _events(state_class, self._fold)
        self.events: Mapping[str, EventType] = {each.name: each for each in self._by_class.values()}
        declared = _declared(state_class)
        self.commands: Mapping[str, CommandType] = {
            each.handler.__name__: command_type(name, state_class, each, self._by_class)
            for each in declared
            if isinstance(each, Command)
        }
        self.queries: Mapping[str, QueryType] = {
            each.handler.__name__: query_type(name, state_class, each)
            for each in declared
            if isinstance(each, Query)
        }
        source.check_evolve(state_class, self._fold, tuple(self._by_class))
        for command in self.commands.values():
            source.check_rejections(state_class, command)
        for each in declared:
            key = each.handler.__name__
            each.contract = self.commands.get(key) or self.queries[key]

    def event_type_of(self, event: object) -> EventType:
        """Raises ForeignEvent for an object that is not one of this aggregate's events."""
        found = self._by_class.get(type(event))
        if found is None:
            raise ForeignEvent(self.name, type(event))
        return found

    def evolve(self, state: Any, event: Any) -> Any:
        """The state after the event. Raises HandlerFailed for whatever evolve does wrong."""
        try:
            after = self._fold(state, event)
            if type(after) is not self.state_class:
                raise TypeError(f"evolve gave {after!r}, not a {self.state_class.__qualname__}")
        except Exception as error:  # whatever the author's code raises is the author's bug
            where = f"{self.name}.evolve of {type(event).__qualname__}"
            raise HandlerFailed(where, error) from error
        return after

    def decode_event(self, event_type: str, schema_version: int, data: bytes) -> Any:
        """Raises UnknownEvent or UndecodableEvent: today's code cannot read it."""
        found = self.events.get(event_type)
        if found is None:
            raise UnknownEvent(event_type, schema_version, f"{self.name} has no such event")
        if found.schema_version != schema_version:
            raise UnknownEvent(
                event_type, schema_version, f"the code has version {found.schema_version}"
            )
        return found.decode(data)

    def encode_state(self, state: object) -> bytes:
        """Raises HandlerFailed for a state that its own encoding would change."""
        try:
            return self.state.encode(state)[0]
        except Unserialisable as error:
            raise HandlerFailed(f"{self.name}'s state", error) from error

    def decode_state(self, data: bytes) -> Any:
        """Raises Malformed for bytes that are not this code's state."""
        return self.state.decode(data)

    def __repr__(self) -> str:
        return f"<aggregate {self.name}>"


def aggregate_type_of(cls: object) -> AggregateType | None:
    """The type made by @aggregate on this very class, or None."""
    found = vars(cls).get("__gesta_aggregate__") if isinstance(cls, type) else None
    return found if isinstance(found, AggregateType) else None


def _initial(cls: Any) -> Any:
    for each in fields(cls):
        if each.default is MISSING and each.default_factory is MISSING:
            raise DefinitionError(
                f"{cls.__qualname__}.{each.name}",
                "a state field needs a default: the state before the first event",
            )
    return cls()


def _evolve(cls: type) -> Callable[[Any, Any], Any]:
    evolve: Any = vars(cls).get("evolve")
    if not callable(evolve):
        raise DefinitionError(
            f"{cls.__qualname__}.evolve", "an aggregate needs evolve(self, event: A | B) -> itself"
        )
    return evolve  # type: ignore[no-any-return]


def _events(cls: type, evolve: Callable[..., Any]) -> dict[type, EventType]:
    where = f"{cls.__qualname__}.evolve"
    hints = hints_of(evolve, cls, where)
    returned = hints.get("return")
    parameters = list(inspect.signature(evolve).parameters)[1:]
    if len(parameters) != 1 or parameters[0] not in hints:
        raise DefinitionError(where, "it takes one annotated event and nothing else")
    if returned not in (cls, Self):
        raise DefinitionError(where, f"it must return {cls.__qualname__}")
    by_class: dict[type, EventType] = {}
    for member in members_of(hints[parameters[0]]):
        found = event_type_of_class(member)
        if found is None:
            raise DefinitionError(where, f"{member!r} is not an @event")
        twin = next((known for known in by_class.values() if known.name == found.name), None)
        if twin is not None:
            raise DefinitionError(
                where,
                f"{member.__qualname__} and {twin.event_class.__qualname__} "
                f"are both named {found.name!r}",
            )
        by_class[member] = found
    return by_class


def _declared(cls: type) -> list[Command[Any, ..., Any] | Query[Any, ..., Any]]:
    for base in cls.__mro__[1:]:
        for key, value in vars(base).items():
            if isinstance(value, Command | Query):
                raise DefinitionError(
                    f"{base.__qualname__}.{key}", "commands stand in the aggregate's own body"
                )
    found = []
    for key, value in vars(cls).items():
        if isinstance(value, Command | Query):
            if key.startswith("_") or key != value.handler.__name__:
                raise DefinitionError(
                    f"{cls.__qualname__}.{key}", "a command has one name, a letter first"
                )
            found.append(value)
    return found
