"""The aggregate types that one server hosts, or one client speaks to."""

from collections.abc import Mapping
from typing import Self

from gesta.domain.aggregate import AggregateType, aggregate_type_of
from gesta.domain.contract import CommandType, QueryType
from gesta.domain.errors import DefinitionError
from gesta.domain.event import EventType
from gesta.domain.fingerprint import fingerprint
from gesta.domain.target import load_aggregates

__all__ = ["Catalog", "AggregateType", "CommandType", "QueryType", "EventType", "fingerprint"]


class Catalog:
    """Aggregate types by name. Immutable."""

    __slots__ = ("types",)

    def __init__(self, types: Mapping[str, AggregateType]) -> None:
        self.types = types

    @classmethod
    def of(cls, *classes: type) -> Self:
        """Raises DefinitionError where two classes share a name, one is not an @aggregate, or its
        upcasters do not lead from every older version to today's.

        An event type is one class in the whole log, for readers know it by its name alone.
        """
        types: dict[str, AggregateType] = {}
        events: dict[str, EventType] = {}
        for each in classes:
            found = aggregate_type_of(each)
            if found is None:
                raise DefinitionError(repr(each), "it is not an @aggregate")
            found.evolution  # noqa: B018 - it is looked for, so that its mistakes are told now
            twin = types.setdefault(found.name, found)
            if twin is not found:
                raise DefinitionError(found.name, _both(twin.state_class, each))
            for event in found.events.values():
                known = events.setdefault(event.name, event)
                if known is not event:
                    raise DefinitionError(event.name, _both(known.event_class, event.event_class))
        return cls(types)

    @classmethod
    def load(cls, target: str) -> Self:
        """From "module", "module:attribute", a .py file or a package's directory.

        Runs that code. Takes every @aggregate defined or imported there. Raises TargetError when
        there is none; DefinitionError as `of` does, and from the decorators.
        """
        return cls.of(*load_aggregates(target))


def _both(one: type, other: type) -> str:
    return (
        f"the name of both {one.__module__}.{one.__qualname__} "
        f"and {other.__module__}.{other.__qualname__}"
    )
