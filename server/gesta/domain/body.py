"""What an aggregate's class body says: its initial state, its events, its commands and queries."""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import Any, Self

from gesta.domain.annotation import hints_of
from gesta.domain.command import Command, Query
from gesta.domain.errors import DefinitionError
from gesta.domain.event import EventType, event_type_of_class
from gesta.domain.signature import members_of


def initial_of(cls: Any) -> Any:
    for each in fields(cls):
        if each.default is MISSING and each.default_factory is MISSING:
            raise DefinitionError(
                f"{cls.__qualname__}.{each.name}",
                "a state field needs a default: the state before the first event",
            )
    return cls()


def evolve_of(cls: type) -> Callable[[Any, Any], Any]:
    evolve: Any = vars(cls).get("evolve")
    if not callable(evolve):
        raise DefinitionError(
            f"{cls.__qualname__}.evolve", "an aggregate needs evolve(self, event: A | B) -> itself"
        )
    return evolve  # type: ignore[no-any-return]


def events_of(cls: type, evolve: Callable[..., Any]) -> dict[type, EventType]:
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


def declared_in(cls: type) -> list[Command[Any, ..., Any] | Query[Any, ..., Any]]:
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
