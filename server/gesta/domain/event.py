"""Events: what an aggregate remembers."""

from collections.abc import Callable
from dataclasses import field
from typing import Any, TypeVar, dataclass_transform

from gesta.domain.annotation import record_shape
from gesta.domain.codec import Codec
from gesta.domain.errors import DefinitionError, Malformed, UndecodableEvent
from gesta.domain.names import check_given, check_name
from gesta.domain.record import frozen

T = TypeVar("T")

SCHEMA_VERSION_MAX = 2**31 - 1
"""An int32 on the wire."""


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def event(name: str, *, version: int = 1) -> Callable[[type[T]], type[T]]:
    """Makes a class a frozen, slotted dataclass that can be stored under `name` for ever.

    `version` is that of the payload's schema, 1 or more. The class may be renamed, the name may
    not. A field may be added if it has a default; any other change is a new version.
    Raises DefinitionError for a field whose type has no encoding.
    """
    check_given(name, "event")

    def decorate(cls: type[T]) -> type[T]:
        check_name(name, f"@event on {cls.__qualname__}")
        if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION_MAX:
            raise DefinitionError(cls.__qualname__, f"version {version!r} must be 1 or more")
        made = frozen(cls)
        made.__gesta_event__ = EventType(made, name, version)  # type: ignore[attr-defined]
        return made

    return decorate


class EventType:
    """One event class with its name, schema version and encoding."""

    __slots__ = ("codec", "event_class", "name", "schema_version")

    def __init__(self, event_class: type, name: str, schema_version: int) -> None:
        self.event_class = event_class
        self.name = name
        self.schema_version = schema_version
        self.codec = Codec(record_shape(event_class, event_class.__qualname__), name)

    def encode(self, event: object) -> tuple[bytes, Any]:
        """The payload, and the event as evolve is to see it. Raises Unserialisable."""
        return self.codec.encode(event)

    def decode(self, data: bytes) -> Any:
        """Raises UndecodableEvent, also for a field that the class does not have."""
        try:
            return self.codec.decode(data)
        except Malformed as error:
            raise UndecodableEvent(
                self.name, self.schema_version, error.field, error.detail
            ) from error

    def __repr__(self) -> str:
        return f"<event {self.name} version {self.schema_version}>"


def event_type_of_class(cls: object) -> EventType | None:
    """The type made by @event on this very class; a subclass of an event is not an event."""
    found = vars(cls).get("__gesta_event__") if isinstance(cls, type) else None
    return found if isinstance(found, EventType) else None
