"""The log behind the tail, a page at a time, and the frames that a page is cut into.

A page ends with a command, unless one command is all there is in it; so does a frame.
"""

from bisect import bisect_right
from collections.abc import Sequence
from functools import partial
from itertools import accumulate, chain
from typing import NamedTuple, Protocol

from gesta.engine.chunks import Chunk, cut
from gesta.engine.errors import CorruptEvent, StorageUnavailable
from gesta.engine.limits import Limits
from gesta.engine.tail import Encode
from gesta.engine.views import View
from gesta.store.port import (
    CorruptLog,
    EventColumns,
    EventRecord,
    EventStore,
    StorageFailed,
    commands_end,
)


class EncodeColumns(Protocol):
    """Makes the bytes of many events at once, each as `Encode` does. Called on any thread."""

    def __call__(self, columns: EventColumns, /) -> list[bytes]: ...


def one_by_one(encode: Encode, columns: EventColumns) -> list[bytes]:
    """The bytes of events by an `Encode`, where there is nothing better."""
    return list(map(encode, columns.events()))


class Page(Protocol):
    """Consecutive events for one reader, one at least."""

    last: int
    """The position of the last one."""

    @property
    def is_read(self) -> bool: ...

    def next(self, bytes_max: int) -> Chunk:
        """The next frame's worth. Raises as `cut` does."""
        ...


class Pages:
    """Reads them."""

    def __init__(
        self, store: EventStore, encode: Encode, encode_columns: EncodeColumns, limits: Limits
    ) -> None:
        self._store = store
        self._encode = encode
        self._make = partial(_encoded, encode_columns)
        self._limits = limits

    async def read(self, after: int, until: int, view: View) -> Page:
        """What is after one position, which must be before the other, and no further than that.

        Raises CorruptEvent or StorageUnavailable.
        """
        limits = self._limits.scan_page_events, self._limits.scan_page_bytes
        try:
            if view.plain:
                found = await self._store.read_log_columns(after, until, *limits, self._make)
                return PlainPage(after, found)
            records = await self._store.read_log(after, until, *limits)
            return ViewedPage(records, view, self._encode)
        except CorruptLog as error:
            raise CorruptEvent(error.position) from error
        except StorageFailed as error:
            raise StorageUnavailable from error


class _Encoded(NamedTuple):
    """Events as bytes, and which of them go on in the next one's command."""

    events: list[bytes]
    more: Sequence[bool]


def _encoded(encode: EncodeColumns, columns: EventColumns) -> _Encoded:
    return _Encoded(encode(columns), columns.more_in_command)


class PlainPage:
    """Everything, as it is stored: encoded by the thread that read it, which costs an event half of
    what it costs one by one, and the loop nothing."""

    def __init__(self, after: int, found: Sequence[_Encoded]) -> None:
        self._after = after
        self._events = list(chain.from_iterable(each.events for each in found))
        self._more = list(chain.from_iterable(each.more for each in found))
        self._ends = list(accumulate(map(len, self._events)))
        self._count = self._whole(0, len(self._events)) or len(self._events)
        self._next = 0
        self.last = after + self._count

    @property
    def is_read(self) -> bool:
        return self._next == self._count

    def next(self, bytes_max: int) -> Chunk:
        first = self._next
        before = self._ends[first - 1] if first else 0
        fits = bisect_right(self._ends, before + bytes_max, first + 1, self._count)
        whole = self._whole(first, fits)
        self._next = whole or fits
        return Chunk(self._events[first : self._next], self._after + self._next, whole > 0)

    def _whole(self, first: int, end: int) -> int:
        """Where the last command that ends between these does; 0: none does."""
        while end > first and self._more[end - 1]:
            end -= 1
        return end if end > first else 0


class ViewedPage:
    """What a reader sees, who does not see everything, or not as it is stored."""

    def __init__(self, records: list[EventRecord], view: View, encode: Encode) -> None:
        self._records = _whole(records)
        self._view = view
        self._encode = encode
        self._next = 0
        self.last = self._records[-1].position

    @property
    def is_read(self) -> bool:
        return self._next == len(self._records)

    def next(self, bytes_max: int) -> Chunk:
        chunk = cut(self._records[self._next :], self._view, self._encode, bytes_max)
        self._next = chunk.position - self._records[0].position + 1
        return chunk


def _whole(page: list[EventRecord]) -> list[EventRecord]:
    """The page without a last command that goes on behind it, unless that is all there is: a next
    page that begins with the command holds all of it, and so may a frame."""
    return page[: commands_end(page)] or page
