"""Aggregates: the frozen state that decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, TypeVar, dataclass_transform

from gesta.domain import source
from gesta.domain.annotation import record_shape
from gesta.domain.body import declared_in, events_of, evolve_of, initial_of
from gesta.domain.code import code_fingerprint
from gesta.domain.codec import Codec
from gesta.domain.command import Command, Query
from gesta.domain.contract import CommandType, QueryType
from gesta.domain.errors import (
    DefinitionError,
    ForeignEvent,
    HandlerFailed,
    Unserialisable,
)
from gesta.domain.event import EventType
from gesta.domain.evolution import Evolution, Upcasted
from gesta.domain.names import check_given, check_type_name
from gesta.domain.record import frozen
from gesta.domain.signature import command_type, query_type
from gesta.domain.upcast import Upcaster
from gesta.domain.upcasters import found_steps, given_steps

T = TypeVar("T")

SNAPSHOT_EVERY_EVENTS = 100
"""Folding so many small events takes well under a millisecond."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def aggregate(
    name: str,
    *,
    snapshot_every: int | None = SNAPSHOT_EVERY_EVENTS,
    snapshot_version: int = 1,
    upcasters: Sequence[Callable[..., Any]] | None = None,
) -> Callable[[type[T]], type[T]]:
    """Makes a class a frozen, slotted dataclass: the state of aggregates of type `name`.

    Every field has a default, for the state before the first event is the class called without
    arguments. `evolve(self, event: A | B) -> Self` lists the events and folds one; methods marked
    @command and @query are the contract.

    `snapshot_every` counts events; None or 0 takes no snapshots. What changes in the class, its
    events and its upcasters makes older snapshots void by itself; for what changes in code that
    they call elsewhere, raise `snapshot_version`. `upcasters` are all there are; left out, they are
    those in the modules of the class and its events.
    Raises DefinitionError for whatever could not be hosted, so that it fails at import.
    """
    check_given(name, "aggregate")

    def decorate(cls: type[T]) -> type[T]:
        where = f"@aggregate on {cls.__qualname__}"
        check_type_name(name, where)
        _check_count("snapshot_every", snapshot_every or 0, where)
        _check_count("snapshot_version", snapshot_version, where)
        steps = None if upcasters is None else given_steps(upcasters, where)
        made = frozen(cls)
        made.__gesta_aggregate__ = AggregateType(  # type: ignore[attr-defined]
            made, name, snapshot_every or 0, snapshot_version, steps
        )
        return made

    return decorate


class AggregateType:
    """One aggregate class: its events, commands, queries, and the encoding of its state."""

    def __init__(
        self,
        state_class: type,
        name: str,
        snapshot_every: int,
        snapshot_version: int,
        steps: Sequence[Upcaster] | None,
    ) -> None:
        self.name = name
        self.state_class = state_class
        self.snapshot_every = snapshot_every
        """In events; 0: never."""
        self._snapshot_version = snapshot_version
        self._steps = steps
        self.initial: Any = initial_of(state_class)
        """The state at version 0. One object for all: states are immutable."""
        self.state = Codec(
            record_shape(state_class, state_class.__qualname__), f"the state of {name}"
        )
        self._fold = evolve_of(state_class)
        self._by_class = events_of(state_class, self._fold)
        self.events: Mapping[str, EventType] = {each.name: each for each in self._by_class.values()}
        declared = declared_in(state_class)
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
            raise ForeignEvent(self.name, event)
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

    @cached_property
    def evolution(self) -> Evolution:
        """How older stored events are read. Raises DefinitionError, which `Catalog.of` tells early.

        Made when first asked for: upcasters may stand below the class, or in a module after it.
        """
        steps = self._steps
        if steps is None:
            steps = found_steps(self.state_class, self.events)
        return Evolution(self.name, self.events, steps)

    @cached_property
    def fingerprint(self) -> bytes:
        """Sixteen bytes that change with the fields of the state and the code that folds into it.

        A snapshot of another fingerprint is not to be used. Equal in every process that runs the
        same code under the same Python.
        """
        steps = self.evolution.steps.values()
        return code_fingerprint(self.state_class, self.events, steps, self._snapshot_version)

    def decode_events(self, event_type: str, schema_version: int, data: bytes) -> tuple[Any, ...]:
        """The events that a stored one is today, in order: one, or as its upcasters have it.

        Raises UnreadableEvent in one of its kinds: today's code cannot read it.
        """
        found = self.events.get(event_type)
        if found is not None and found.schema_version == schema_version:
            return (found.decode(data),)
        read = self.evolution.read(event_type, schema_version, data)
        return tuple([event for _, event in read])

    def upcast(self, event_type: str, schema_version: int, data: bytes) -> tuple[Upcasted, ...]:
        """The same as payloads, for readers. One that is of today's version is not looked into.

        Raises as `decode_events` does.
        """
        found = self.events.get(event_type)
        if found is not None and found.schema_version == schema_version:
            return (Upcasted(event_type, schema_version, data),)
        return self.evolution.upcast(event_type, schema_version, data)

    def current_types_of(self, stored_type: str) -> frozenset[str]:
        """The event types that a stored one may be read as; none if it is dropped or unknown."""
        return self.evolution.current_types.get(stored_type, frozenset())

    def stored_types_of(self, current_type: str) -> frozenset[str]:
        """The stored types that may be read as this one, itself among them; none if unknown."""
        current_types = self.evolution.current_types.items()
        return frozenset(stored for stored, types in current_types if current_type in types)

    def encode_state(self, state: object) -> bytes:
        """The state as readers get it. Raises HandlerFailed, its cause Unserialisable, for one that
        its own encoding would change."""
        try:
            return self.state.encode(state)[0]
        except Unserialisable as error:
            raise HandlerFailed(f"{self.name}'s state", error) from error

    def keep_state(self, state: object) -> bytes:
        """The state for a snapshot: `decode_state` makes the very same of it. Raises HandlerFailed,
        its cause Unserialisable, for one of which there can be no snapshot."""
        try:
            return self.state.keep(state)
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


def _check_count(name: str, value: object, where: str) -> None:
    if not isinstance(value, int) or value < 0:
        raise DefinitionError(where, f"{name} must be a whole number, 0 or more, not {value!r}")
