"""Integers for texts that come back in every row: event types, aggregate types, principals.

All names are in memory from start-up, so a page of events is read from one table. A name is drawn
for a batch by `Draft` and adopted by `Names` after the commit; a failed batch leaves no trace.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import NamedTuple


class Kind(IntEnum):
    """What a name names. The numbers are stored."""

    AGGREGATE_TYPE = 1
    EVENT_TYPE = 2
    PRINCIPAL = 3


class Name(NamedTuple):
    """A row of the table `names`, without its checksum."""

    number: int
    kind: int
    text: str


class Names:
    """The names of one log that are committed."""

    def __init__(self, names: Iterable[Name] = ()) -> None:
        self.texts: dict[int, str] = {}
        """By number. Read by the threads of all readers, written only by `adopt`."""
        self.numbers: dict[Kind, dict[str, int]] = {kind: {} for kind in Kind}
        self.adopt(names)

    def adopt(self, names: Iterable[Name]) -> None:
        for name in names:
            self.texts[name.number] = name.text
            self.numbers[Kind(name.kind)][name.text] = name.number


class Draft:
    """The names one batch needs, the new ones numbered after the known."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._drawn: dict[tuple[Kind, str], Name] = {}

    def number_of(self, kind: Kind, text: str) -> int:
        known = self._names.numbers[kind].get(text)
        if known is not None:
            return known
        drawn = self._drawn.get((kind, text))
        if drawn is None:
            number = len(self._names.texts) + len(self._drawn) + 1
            drawn = self._drawn[kind, text] = Name(number, kind, text)
        return drawn.number

    @property
    def new(self) -> list[Name]:
        return list(self._drawn.values())
