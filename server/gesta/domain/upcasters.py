"""Which upcasters are an aggregate's: those in the modules of its class and of its events."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from gesta.domain.errors import DefinitionError
from gesta.domain.event import EventType, event_type_of_class
from gesta.domain.upcast import Upcaster, steps_of


def found_steps(state_class: type, events: Mapping[str, EventType]) -> list[Upcaster]:
    """What is defined in those modules, or imported there, but for what is another aggregate's.

    A module that is still being imported shows only what stands above.
    """
    classes = [state_class, *(event.event_class for event in events.values())]
    found: dict[Upcaster, None] = {}
    foreign: set[str] = set()
    for name in dict.fromkeys(each.__module__ for each in classes):
        module = sys.modules.get(name)
        for value in [] if module is None else list(vars(module).values()):
            found.update(dict.fromkeys(steps_of(value)))
            foreign.update(_event_names(value))
    into: dict[str, set[str]] = {}
    for step in found:
        into.setdefault(step.event_type, set()).update(step.into)
    return [step for step in found if _is_own(step.event_type, into, events, foreign)]


def given_steps(functions: Any, where: str) -> list[Upcaster]:
    """Those of the functions that an author lists. Raises DefinitionError for anything else."""
    steps: list[Upcaster] = []
    for function in functions:
        if not steps_of(function):
            raise DefinitionError(where, f"upcasters: {function!r} has no @upcast")
        steps += steps_of(function)
    return steps


def _event_names(value: Any) -> Iterator[str]:
    """The events that an object of a module tells of: an @event's, or those of an @aggregate."""
    event = event_type_of_class(value)
    if event is not None:
        yield event.name
    elif isinstance(value, type):
        aggregate = vars(value).get("__gesta_aggregate__")
        yield from () if aggregate is None else aggregate.events


def _is_own(
    event_type: str,
    into: Mapping[str, set[str]],
    own: Mapping[str, EventType],
    foreign: set[str],
) -> bool:
    """Whether a type is the aggregate's, today or by what it leads to.

    One that leads nowhere is too, so that it is known where it is dropped, and told where it is
    a mistake.
    """
    reached, waiting = {event_type}, [event_type]
    while waiting:
        following = waiting.pop()
        if following not in own and following not in foreign:
            new = into.get(following, set()) - reached
            reached |= new
            waiting += new
    return bool(reached & set(own)) or not reached & foreign
