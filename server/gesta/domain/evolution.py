"""How what was stored long ago is read today: the chains of one aggregate type's upcasters."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from gesta.domain.codec import malformed
from gesta.domain.errors import (
    DefinitionError,
    UndecodableEvent,
    UnknownEvent,
    Unserialisable,
    UpcastFailed,
)
from gesta.domain.event import EventType
from gesta.domain.upcast import Part, Upcaster

PARTS_MAX = 100
"""Events that one stored event may be read as: readers get them in one piece, like one event."""

_decode = msgspec.json.Decoder().decode

_Key = tuple[str, int]


class Upcasted(NamedTuple):
    """An event as today's code would have stored it."""

    event_type: str
    schema_version: int
    data: bytes


class Evolution:
    """Which stored types and versions lead to which events. Checked when made; immutable."""

    def __init__(
        self, aggregate_type: str, events: Mapping[str, EventType], steps: Iterable[Upcaster]
    ) -> None:
        """Raises DefinitionError for a step too many or missing, and for chains without an end."""
        self.aggregate_type = aggregate_type
        self._events = events
        self.steps: Mapping[_Key, Upcaster] = self._by_key(steps)
        """The upcasters by what they read, ordered by type and version."""
        self._ends: dict[_Key, frozenset[str]] = {}
        current = {name: frozenset({name}) for name in events}
        for event_type, version in self.steps:
            leads_to = self._leads_to(event_type, version, ())
            current[event_type] = current.get(event_type, frozenset()) | leads_to
        self.current_types: Mapping[str, frozenset[str]] = current
        """By stored type, retired ones too: the types it is read as, none if it is dropped."""
        self._check_gaps()

    def upcast(self, event_type: str, schema_version: int, data: bytes) -> tuple[Upcasted, ...]:
        """As today's code would have written them. Raises as `read` does."""
        try:
            return tuple(
                Upcasted(kind.name, kind.schema_version, kind.encode(event)[0])
                for kind, event in self.read(event_type, schema_version, data)
            )
        except Unserialisable as error:  # a constructor that never gives the same value twice
            raise UndecodableEvent(event_type, schema_version, "", str(error)) from error

    def read(
        self, event_type: str, schema_version: int, data: bytes
    ) -> list[tuple[EventType, Any]]:
        """The events that a stored one is today, in order.

        Raises UnknownEvent where no chain begins, UndecodableEvent for a payload that does not fit
        or is no JSON object, UpcastFailed for an upcaster that fails or gives what does not fit.
        """
        self._check_known(event_type, schema_version)
        payload = _payload(event_type, schema_version, data)
        waiting: list[tuple[Part, Upcaster | None]] = [
            (Part(event_type, schema_version, payload, data), None)
        ]
        read: list[tuple[EventType, Any]] = []
        while waiting:
            part, step = waiting.pop()
            kind = self._events.get(part.event_type)
            try:
                if kind is not None and kind.schema_version == part.schema_version:
                    read.append((kind, kind.decode(part.data)))
                    continue
                step = self.steps[part.event_type, part.schema_version]
                given = step.apply(part.payload)
                if len(read) + len(waiting) + len(given) > PARTS_MAX:
                    raise ValueError(f"one stored event becomes more than {PARTS_MAX}")
            except Exception as error:  # whatever the author's code raises is the author's bug
                if step is None:  # stored as it is read today, and it does not fit
                    raise
                raise UpcastFailed(event_type, schema_version, step.where, error) from error
            waiting.extend((each, step) for each in reversed(given))
        return read

    def _check_known(self, event_type: str, schema_version: int) -> None:
        kind = self._events.get(event_type)
        if (event_type, schema_version) in self.steps or (
            kind is not None and kind.schema_version == schema_version
        ):
            return
        newest = self._newest(event_type)
        if newest == 0:
            detail = f"{self.aggregate_type} has no such event"
        elif schema_version > newest:
            detail = f"written by newer code: this code has version {newest}"
        else:
            detail = f"no upcaster reads it; write {_decorator(event_type, schema_version)}"
        raise UnknownEvent(event_type, schema_version, detail)

    def _newest(self, event_type: str) -> int:
        """The newest version that this code knows of; 0 where it does not know the type."""
        kind = self._events.get(event_type)
        if kind is not None:
            return kind.schema_version
        return max((version for name, version in self.steps if name == event_type), default=0)

    def _by_key(self, steps: Iterable[Upcaster]) -> dict[_Key, Upcaster]:
        by_key: dict[_Key, Upcaster] = {}
        for step in sorted(steps, key=lambda each: (each.event_type, each.from_version)):
            twin = by_key.setdefault((step.event_type, step.from_version), step)
            if twin is not step:
                what = f"{step.event_type} version {step.from_version}"
                raise DefinitionError(step.where, f"{twin.where} reads {what} too; keep one")
            kind = self._events.get(step.event_type)
            if kind is not None and kind.schema_version <= step.from_version:
                raise DefinitionError(
                    step.where,
                    f"{step.event_type} is at version {kind.schema_version}, so none older is "
                    f"{step.from_version}; raise the version of its @event",
                )
        return by_key

    def _leads_to(self, event_type: str, version: int, path: tuple[_Key, ...]) -> frozenset[str]:
        """The types that this one ends as. `path` are the steps before it."""
        kind = self._events.get(event_type)
        if kind is not None and kind.schema_version == version:
            return frozenset({event_type})
        key = (event_type, version)
        if key in self._ends:
            return self._ends[key]
        step = self.steps.get(key)
        if step is None:
            raise DefinitionError(self.steps[path[-1]].where, self._dead_end(event_type, version))
        if key in path:
            chain = [*path[path.index(key) :], key]
            said = ", then ".join(f"{name} version {number}" for name, number in chain)
            raise DefinitionError(step.where, f"the chain has no end: {said}")
        ends = [self._leads_to(name, number, (*path, key)) for name, number in step.into.items()]
        self._ends[key] = frozenset().union(*ends)
        return self._ends[key]

    def _dead_end(self, event_type: str, version: int) -> str:
        into, newest = f"it leads to {event_type} version {version}", self._newest(event_type)
        if version < newest:
            return f"{into}, which nothing reads on; write {_decorator(event_type, version)}"
        if event_type in self._events:
            return f"{into}, but the newest is {newest}; raise the version of its @event"
        return (
            f"{into}, which is no event of {self.aggregate_type}; let `into` say what it is today"
        )

    def _check_gaps(self) -> None:
        """A type with upcasters has been through every version, so each may be stored."""
        for event_type in dict.fromkeys(name for name, _ in self.steps):
            for version in range(1, self._newest(event_type)):
                if (event_type, version) not in self.steps:
                    raise DefinitionError(
                        self.aggregate_type,
                        f"nothing reads {event_type} version {version}; "
                        f"write {_decorator(event_type, version)}",
                    )


def _payload(event_type: str, schema_version: int, data: bytes) -> dict[str, Any]:
    try:
        payload = _decode(data)
    except Exception as error:
        found = malformed(error)
        raise UndecodableEvent(event_type, schema_version, found.field, found.detail) from error
    if not isinstance(payload, dict):
        raise UndecodableEvent(event_type, schema_version, "", "it is no JSON object")
    return payload


def _decorator(event_type: str, version: int) -> str:
    return f'@upcast("{event_type}", from_version={version})'
