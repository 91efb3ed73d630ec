"""Which events a reader wants: AND inside an item, OR between items."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from gesta.store.port import EventRecord

_KINDS_MAX = 256
"""Kinds of event that one filter remembers, more than most logs have; 64 KiB at most."""


@dataclass(frozen=True, slots=True)
class FilterItem:
    """Matches an event for which every part that is not empty holds."""

    aggregate_types: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()
    id_prefix: str = ""
    correlation_id: str = ""
    command_id: bytes = b""

    @property
    def names(self) -> tuple[str | bytes, ...]:
        """Ids of which every event that matches has one, as its own; none: it may be any event."""
        if self.command_id or not self.correlation_id:
            return (self.command_id,) if self.command_id else ()
        try:
            return self.correlation_id, UUID(self.correlation_id).bytes
        except ValueError:
            return (self.correlation_id,)

    def matches(self, record: EventRecord) -> bool:
        return (
            self.takes(record.aggregate_type, record.event_type)
            and record.aggregate_id.startswith(self.id_prefix)
            and self.command_id in (b"", record.command_id)
            and self.correlation_id in ("", correlation_of(record))
        )

    def takes(self, aggregate_type: str, event_type: str) -> bool:
        """Whether it matches events of this kind, where their aggregate's id fits too."""
        return (not self.event_types or event_type in self.event_types) and (
            not self.aggregate_types or aggregate_type in self.aggregate_types
        )


class Filter:
    """Matches an event that any item matches; everything, without items.

    The items are gone through once for each kind of event (the types of its aggregate and its
    own). For an event it is then one look and one comparison, however many items there are:
    0.3 µs instead of 10 µs at 64 items, over a tail of 100,000 events. Items about one command or
    correlation are found by its id.
    """

    def __init__(self, items: Sequence[FilterItem] = ()) -> None:
        self.items = tuple(items)
        self._broad = tuple(item for item in items if not item.names)
        self._narrow: dict[str | bytes | None, list[FilterItem]] = {}
        for item in items:
            for name in item.names:
                self._narrow.setdefault(name, []).append(item)
        self._prefixes: dict[tuple[str, str], tuple[str, ...]] = {}
        """By kind: an event of that kind matches if its aggregate's id begins with one of these."""

    @property
    def everything(self) -> bool:
        return not self.items

    def matches(self, record: EventRecord) -> bool:
        if not self.items:
            return True
        prefixes = self._prefixes.get((record.aggregate_type, record.event_type))
        if prefixes is None:
            prefixes = self._meet(record.aggregate_type, record.event_type)
        if record.aggregate_id.startswith(prefixes):
            return True
        return bool(self._narrow) and self._is_named(record)

    def _is_named(self, record: EventRecord) -> bool:
        """Whether an item about the event's own command or correlation matches it."""
        own = record.command_id, record.correlation_id
        return any(item.matches(record) for name in own for item in self._narrow.get(name, ()))

    def _meet(self, aggregate_type: str, event_type: str) -> tuple[str, ...]:
        """A kind that was not met before, or is not remembered."""
        prefixes = {i.id_prefix for i in self._broad if i.takes(aggregate_type, event_type)}
        if len(self._prefixes) >= _KINDS_MAX:
            self._prefixes.clear()
        found = ("",) if "" in prefixes else tuple(prefixes)
        self._prefixes[aggregate_type, event_type] = found
        return found


def correlation_of(record: EventRecord) -> str:
    """What it belongs to: where nothing was said, what its own command began."""
    return record.correlation_id or str(UUID(bytes=record.command_id))


EVERYTHING = Filter()
