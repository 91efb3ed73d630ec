"""What one reader sees of the log: which events, and each in today's version or as it is stored.

What is stored never changes. An event that today's code would write otherwise is read through its
aggregate type's upcasters on its way out: as one event, as several, or as none. All of them keep
its position, version and id; only the last one can end the command.
"""

from collections.abc import Sequence

from gesta.domain.catalog import Catalog
from gesta.domain.errors import UnreadableEvent
from gesta.engine.faults import unreadable
from gesta.engine.filters import EVERYTHING, Filter
from gesta.engine.sought import Sought
from gesta.engine.tail import Encode
from gesta.engine.watchdog import Watchdog
from gesta.store.port import EventRecord


class Evolving:
    """Tells which stored events are of an older version, and reads them as those of today."""

    def __init__(self, catalog: Catalog, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._types = {
            name: hosted for name, hosted in catalog.types.items() if hosted.evolution.steps
        }

    @property
    def nothing(self) -> bool:
        """Whether no event can be of an older version."""
        return not self._types

    def is_old(self, record: EventRecord) -> bool:
        """Whether an upcaster reads it. What nothing reads is shown as it is stored."""
        hosted = self._types.get(record.aggregate_type)
        if hosted is None:
            return False
        return (record.event_type, record.schema_version) in hosted.evolution.steps

    def stored_types(self, event_types: frozenset[str]) -> frozenset[str]:
        """Every stored type that may be read as one of these, themselves among them."""
        older = [
            hosted.stored_types_of(event_type)
            for hosted in self._types.values()
            for event_type in event_types
        ]
        return event_types.union(*older)

    def may_match(self, wanted: Filter, record: EventRecord) -> bool:
        """Whether any event that this old one may be read as is wanted; looks at no payload."""
        hosted = self._types[record.aggregate_type]
        return any(
            wanted.matches(record._replace(event_type=event_type))
            for event_type in hosted.current_types_of(record.event_type)
        )

    def parts(self, record: EventRecord) -> Sequence[EventRecord]:
        """The events of today that an old one is. Raises UnreadableEvent (the engine's)."""
        hosted = self._types[record.aggregate_type]
        try:
            with self._watchdog:
                read = hosted.upcast(record.event_type, record.schema_version, record.data)
        except UnreadableEvent as error:
            where = f"{record.aggregate_type}<{record.aggregate_id}>"
            raise unreadable(where, record.position, error) from None
        last = len(read) - 1
        return [
            record._replace(
                event_type=event_type,
                schema_version=schema_version,
                data=data,
                more_in_command=record.more_in_command or index < last,
            )
            for index, (event_type, schema_version, data) in enumerate(read)
        ]


class View:
    """One reader's choice."""

    def __init__(
        self, evolving: Evolving, wanted: Filter = EVERYTHING, *, as_stored: bool = False
    ) -> None:
        self._evolving = evolving
        self._wanted = wanted
        self._as_is = as_stored or evolving.nothing
        self.plain = wanted.everything and self._as_is
        """Everything, as it is stored: `encode` alone would do."""

    def encode(self, record: EventRecord, encode: Encode) -> bytes | None:
        """The bytes of all that the reader sees of it; None where it sees nothing.

        Raises UnreadableEvent for one that an upcaster fails on.
        """
        if self._as_is or not self._evolving.is_old(record):
            return encode(record) if self._wanted.matches(record) else None
        if not self._evolving.may_match(self._wanted, record):
            return None
        seen = [
            encode(part, index)
            for index, part in enumerate(self._evolving.parts(record))
            if self._wanted.matches(part)
        ]
        return b"".join(seen) if seen else None

    def sought(self) -> Sought | None:
        """What an index may be asked for on this reader's behalf; None where it must be a scan."""
        items = self._wanted.items
        if items and all(item.event_types for item in items):
            types = frozenset[str]().union(*(item.event_types for item in items))
            return Sought(types if self._as_is else self._evolving.stored_types(types), "")
        if len(items) == 1 and items[0].correlation_id:
            return Sought(frozenset(), items[0].correlation_id)
        return None
