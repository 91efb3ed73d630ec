"""Bulk reads: the events that are in the log now, forwards or backwards, a frame at a time.

Frames and limits end with a command, unless one command alone exceeds them. Which events belong
together is told by their command id, since in one aggregate's stream, or behind a filter, the next
event of a command may be missing.
"""

from bisect import bisect_right
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from typing import Any, NamedTuple

from gesta.engine.ahead import Ahead
from gesta.engine.errors import (
    AggregateNotFound,
    CorruptEvent,
    OutOfRange,
    StorageUnavailable,
)
from gesta.engine.feed import Feed
from gesta.engine.indexing import IndexedPages
from gesta.engine.limits import Limits
from gesta.engine.pages import Page
from gesta.engine.sought import Sought
from gesta.engine.views import View
from gesta.store.port import CorruptLog, EventRecord, EventStore, StorageFailed, Stream

_make = tuple.__new__  # a NamedTuple in a third of the time that calling it takes

_Page = Callable[[int], Coroutine[Any, Any, list[EventRecord]]]
"""Reads the page after (backwards: before) a bound."""


class _Seen(NamedTuple):
    """What the reader gets of one stored event."""

    command_id: bytes
    encoded: bytes


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What to read. The bound is a version where an aggregate is named, a position otherwise."""

    view: View
    aggregate_type: str = ""
    aggregate_id: str = ""
    bound: int | None = None
    """Read after it (backwards: before it); None: from the start (backwards: from the end)."""
    after_time_us: int | None = None
    """Instead of a bound: after the last event committed by then (backwards: from it on)."""
    backwards: bool = False
    limit: int | None = None
    """Of events as they are stored."""

    @property
    def of_everything(self) -> bool:
        """Whether it is the log itself that is read, onwards and to its end."""
        alone = self.aggregate_id or self.backwards or self.limit is not None
        return self.view.plain and not alone


class Reading:
    """Runs bulk reads over one store."""

    def __init__(
        self, store: EventStore, indexed: IndexedPages, feed: Feed, limits: Limits
    ) -> None:
        self._store = store
        self._indexed = indexed
        self._feed = feed
        self._limits = limits

    async def frames(
        self, request: ReadRequest, head: int
    ) -> AsyncGenerator[Sequence[bytes], None]:
        """Encoded events, a frame's worth at a time, none of them beyond `head`.

        Raises OutOfRange, InvalidRequest, AggregateNotFound, UnreadableEvent, CorruptEvent or
        StorageUnavailable, the first three before the first frame.
        """
        ahead = Ahead[list[EventRecord]]()
        try:
            if request.aggregate_id:
                page, bound = await self._of_aggregate(request, head)
            else:
                page, bound = await self._of_log(request, head)
                if request.of_everything:
                    async with aclosing(self._everything(bound, head, request.view)) as frames:
                        async for frame in frames:
                            yield frame
                    return
            left = request.limit
            carried: list[_Seen] = []
            ahead.begin(page(bound))
            while True:
                records = await ahead.take()
                if records:
                    last = records[-1]
                    bound = last.version if request.aggregate_id else last.position
                    if left is None or left > len(records):
                        ahead.begin(page(bound))
                # A stream's page may lie beyond the head; only an empty page is the end.
                pending = carried + self._seen(records, request.view, head)
                whole = len(pending) if not records else whole_commands(pending)
                if left is not None and whole > left:
                    whole, records = limited(pending[:whole], left, request.limit == left), []
                for frame in self._frames(pending[:whole]):
                    yield frame
                if not records or left == whole:
                    return
                if not ahead.begun:
                    ahead.begin(page(bound))
                left = None if left is None else left - whole
                carried = pending[whole:]
        except CorruptLog as error:
            raise CorruptEvent(error.position) from error
        except StorageFailed as error:
            raise StorageUnavailable from error
        finally:
            ahead.drop()

    async def _everything(
        self, after: int, head: int, view: View
    ) -> AsyncGenerator[Sequence[bytes], None]:
        """Of the log, as it is stored: 1 µs an event less than by looking at each of them."""

        def read(after: int) -> Coroutine[Any, Any, Page]:
            return self._feed.pages.read(after, head, view)

        ahead = Ahead[Page](lambda page: read(page.last) if page.last < head else None)
        try:
            while after < head:
                if not ahead.begun:
                    ahead.begin(read(after))
                page = await ahead.take()
                after = page.last
                while not page.is_read:
                    yield page.next(self._limits.frame_bytes_max).events
        finally:
            ahead.drop()

    async def _of_aggregate(self, request: ReadRequest, head: int) -> tuple[_Page, int]:
        found = await self._store.find_stream(request.aggregate_type, request.aggregate_id)
        if found is None:
            raise AggregateNotFound(request.aggregate_type, request.aggregate_id)
        bound = request.bound
        if bound is not None and not 0 <= bound <= found.version + request.backwards:
            raise OutOfRange("after_version", bound, found.version)
        if request.backwards:
            return self._stream_before(found.stream), found.version + 1 if bound is None else bound
        return self._stream_after(found.stream, head), bound or 0

    async def _of_log(self, request: ReadRequest, head: int) -> tuple[_Page, int]:
        bound = request.bound
        if request.after_time_us is not None:
            at = await self._store.position_at(request.after_time_us)
            bound = min(at, head) + request.backwards
        if bound is not None and not 0 <= bound <= head + request.backwards:
            raise OutOfRange("after_position", bound, head)
        sought = request.view.sought()
        if request.backwards:
            return self._log_before(sought), head + 1 if bound is None else bound
        return self._log_until(sought, head), bound or 0

    def _stream_after(self, stream: Stream, head: int) -> _Page:
        async def page(bound: int) -> list[EventRecord]:
            records = await self._store.read_stream(
                stream, bound, self._limits.scan_page_events, self._limits.scan_page_bytes
            )
            return [r for r in records if r.position <= head]

        return page

    def _stream_before(self, stream: Stream) -> _Page:
        async def page(bound: int) -> list[EventRecord]:
            return await self._store.read_stream_backwards(
                stream, bound, self._limits.scan_page_events, self._limits.scan_page_bytes
            )

        return page

    def _log_until(self, sought: Sought | None, head: int) -> _Page:
        async def page(bound: int) -> list[EventRecord]:
            if sought is not None:
                return await self._indexed.after(sought, bound, head)
            return await self._store.read_log(
                bound, head, self._limits.scan_page_events, self._limits.scan_page_bytes
            )

        return page

    def _log_before(self, sought: Sought | None) -> _Page:
        async def page(bound: int) -> list[EventRecord]:
            if sought is not None:
                return await self._indexed.before(sought, bound)
            return await self._store.read_log_backwards(
                bound, self._limits.scan_page_events, self._limits.scan_page_bytes
            )

        return page

    def _seen(self, records: Sequence[EventRecord], view: View, head: int) -> list[_Seen]:
        encode = self._feed.encode
        see = encode if view.plain else partial(view.encode, encode=encode)
        return [
            _make(_Seen, (record.command_id, encoded))
            for record in records
            if record.position <= head and (encoded := see(record)) is not None
        ]

    def _frames(self, records: Sequence[_Seen]) -> Iterator[list[bytes]]:
        """Split whole commands into frames, between commands where that is possible."""
        ends = list(accumulate([len(each.encoded) for each in records]))
        first = 0
        while first < len(records):
            before = ends[first - 1] if first else 0
            end = max(bisect_right(ends, before + self._limits.frame_bytes_max), first + 1)
            whole = end if end == len(records) else _command_before(records, first, end)
            yield [each.encoded for each in records[first : whole or end]]
            first = whole or end


def _command_before(records: Sequence[_Seen], first: int, end: int) -> int:
    """Where the last command that begins after `first`, and at `end` at the latest, begins; 0: none
    does."""
    while end > first and records[end].command_id == records[end - 1].command_id:
        end -= 1
    return end if end > first else 0


def whole_commands(records: Sequence[_Seen]) -> int:
    """How many records, from the front, make whole commands, when more records may follow."""
    index = len(records) - 1
    while index > 0 and records[index].command_id == records[index - 1].command_id:
        index -= 1
    return max(index, 0)


def limited(records: Sequence[_Seen], limit: int, nothing_read: bool) -> int:
    """How many of these records to read under a limit without parting a command.

    Where the first command alone exceeds the limit, and nothing was read before it: the limit.
    """
    end = limit
    while end and records[end].command_id == records[end - 1].command_id:
        end -= 1
    return end or (limit if nothing_read else 0)
