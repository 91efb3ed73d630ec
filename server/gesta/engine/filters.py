"""Which events a reader wants: AND inside an item, OR between items."""

from collections.abc import Sequence
from dataclasses import dataclass

from gesta.store.port import EventRecord


@dataclass(frozen=True, slots=True)
class FilterItem:
    """Matches an event for which every part that is not empty holds."""

    aggregate_types: frozenset[str] = frozenset()
    event_types: frozenset[str] = frozenset()
    id_prefix: str = ""

    def matches(self, record: EventRecord) -> bool:
        return (
            (not self.event_types or record.event_type in self.event_types)
            and (not self.aggregate_types or record.aggregate_type in self.aggregate_types)
            and record.aggregate_id.startswith(self.id_prefix)
        )


class Filter:
    """Matches an event that any item matches; everything, without items."""

    def __init__(self, items: Sequence[FilterItem] = ()) -> None:
        self.items = tuple(items)

    @property
    def everything(self) -> bool:
        return not self.items

    def matches(self, record: EventRecord) -> bool:
        return not self.items or any(item.matches(record) for item in self.items)


EVERYTHING = Filter()
