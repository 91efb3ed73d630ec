"""Subscriptions: a subscriber is a cursor, and a cursor is a position.

Nothing is queued for anybody. A reader near the head reads the shared tail, one behind it reads
pages from the store, and one that has stopped costs nothing but its frames in flight.
"""

import asyncio
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import accumulate

from gesta.engine.ahead import Ahead
from gesta.engine.errors import CorruptEvent, StorageUnavailable
from gesta.engine.limits import Limits
from gesta.engine.tail import Encode, Tail
from gesta.engine.views import View
from gesta.engine.waiters import Waiters
from gesta.store.port import CorruptLog, EventRecord, EventStore, StorageFailed

_AROUND_BYTES = 64
"""Of a frame: its own tags and lengths, and the checkpoint's token. A frame with them is within
`frame_bytes_max`."""


@dataclass(slots=True)
class Chunk:
    """Progress of a cursor: some events, or none where nothing matched. May be given to several."""

    events: Sequence[bytes]
    """Encoded."""
    position: int
    """Everything up to here is delivered or did not match."""
    ends_command: bool
    """False: the command of the last event goes on after `position`."""
    frame: bytes | None = None
    """What the edge has made of it, for the next one who is given this chunk. It must depend on
    nothing else."""


class Feed:
    """The head of the log, its tail, and whoever waits for it to move."""

    def __init__(self, store: EventStore, head: int, encode: Encode, limits: Limits) -> None:
        self._store = store
        self._limits = limits
        self.encode = encode
        self.head = head
        """The last confirmed position. Every reader is bounded by it."""
        self.tail = Tail(head, encode, limits.tail_events_max, limits.tail_bytes_max)
        self._waiters = Waiters()
        self._newest: tuple[int, Chunk] | None = None
        """What a reader of everything at this position was given, while the head has not moved."""
        self._reading: set[Cursor] = set()
        """Those that hold a page, or have one read, and were asked since `drop_pages` was called
        last."""
        self._resting: set[Cursor] = set()
        """Those that hold a page and have not."""

    def publish(self, records: Sequence[EventRecord], size: int) -> None:
        """These events, of so many bytes, are committed. Part of the writer's confirming step."""
        if not records:
            return
        self.tail.extend(records, size)
        self.head = records[-1].position
        self._newest = None
        self.wake()

    def wake(self) -> None:
        """Let everyone who waits look again: the head has moved, or the server is stopping."""
        self._waiters.wake()

    async def wait_beyond(self, position: int, timeout_s: float) -> bool:
        """Wait until the head is past the position, but hardly longer than that; whether it is.

        Returns early, with False, when the feed is woken for another reason.
        """
        if self.head <= position:
            await self._waiters.wait(timeout_s)
        return self.head > position

    def newest(self, position: int, view: View) -> Chunk:
        """What follows the position. The tail must reach it.

        A thousand readers that stand at the same place and see everything get one and the same
        chunk: it is cut, and made a frame of, for the first of them.
        """
        if view.plain and self._newest is not None and self._newest[0] == position:
            return self._newest[1]
        records = self.tail.after(position, self._limits.scan_page_events)
        chunk = cut(records, view, self.tail.encode, self._limits.frame_bytes_max - _AROUND_BYTES)
        if view.plain:
            self._newest = position, chunk
        return chunk

    def drop_pages(self) -> None:
        """Take from cursors the pages that nobody has read from since the last call but one.

        A reader that has stopped would keep a page of `scan_page_bytes` for as long as it stays.
        """
        stopped, self._resting, self._reading = self._resting, self._reading, set()
        for cursor in stopped:
            cursor.drop_page()

    def holds_page(self, cursor: "Cursor", holds: bool) -> None:
        """The cursor has read, and has a page left, or not."""
        self._resting.discard(cursor)
        (self._reading.add if holds else self._reading.discard)(cursor)

    def cursor(self, position: int, view: View) -> "Cursor":
        """A cursor that delivers what is after the position."""
        return Cursor(self, self._store, self._limits, position, view)


class Cursor:
    """One reader's place in the log."""

    def __init__(
        self, feed: Feed, store: EventStore, limits: Limits, position: int, view: View
    ) -> None:
        self._feed = feed
        self._store = store
        self._limits = limits
        self._view = view
        self._page: _Page | None = None
        self._ahead = Ahead[list[EventRecord]]()
        self.position = position

    @property
    def behind_tail(self) -> bool:
        """Whether the next read goes to the store."""
        return self._page is None and not self._feed.tail.reaches(self.position)

    async def read(self) -> Chunk:
        """The next chunk. Only to be called while `position` is before the head.

        Others have had their turn before an empty one is returned: a filter may pass over the whole
        tail without anything else to wait for.

        Raises CorruptEvent or StorageUnavailable; then the cursor has not moved.
        """
        if self._feed.tail.reaches(self.position):
            self.drop_page()
            chunk = self._feed.newest(self.position, self._view)
        else:
            page = self._page = self._page or await self._next_page()
            chunk = page.next(self._limits.frame_bytes_max - _AROUND_BYTES)
            self._page = None if page.is_read else page
            self._feed.holds_page(self, self._page is not None or self._ahead.begun)
        self.position = chunk.position
        if not chunk.events:
            await asyncio.sleep(0)
        return chunk

    def drop_page(self) -> None:
        """Forget what was read ahead; it is read again when it is wanted. Whoever leaves a cursor
        calls it, or a read goes on for nobody."""
        if self._page is not None or self._ahead.begun:
            self._page = None
            self._ahead.drop()
            self._feed.holds_page(self, False)

    async def _next_page(self) -> "_Page":
        """The next one; the one behind it is being read when this returns."""
        if not self._ahead.begun:
            self._ahead.begin(self._read_page(self.position))
        records = _whole(await self._ahead.take())
        last = records[-1].position
        if last < self._feed.head and not self._feed.tail.reaches(last):
            self._ahead.begin(self._read_page(last))
        return _Page(records, self._view, self._feed.encode)

    async def _read_page(self, after: int) -> list[EventRecord]:
        try:
            return await self._store.read_log(
                after,
                self._feed.head,
                self._limits.scan_page_events,
                self._limits.scan_page_bytes,
            )
        except CorruptLog as error:
            raise CorruptEvent(error.position) from error
        except StorageFailed as error:
            raise StorageUnavailable from error


class _Page:
    """Consecutive events from the store, for one reader. Raises as `cut` does."""

    def __init__(self, records: list[EventRecord], view: View, encode: Encode) -> None:
        self._records = records
        self._view = view
        self._encode = encode
        self._next = 0
        self._encoded = list(map(encode, records)) if view.plain else []
        self._ends = list(accumulate(map(len, self._encoded)))

    @property
    def is_read(self) -> bool:
        return self._next == len(self._records)

    def next(self, bytes_max: int) -> Chunk:
        """The next frame's worth, cut as by `cut`."""
        if self._view.plain:
            return self._next_plain(bytes_max)
        chunk = cut(self._records[self._next :], self._view, self._encode, bytes_max)
        self._next = chunk.position - self._records[0].position + 1
        return chunk

    def _next_plain(self, bytes_max: int) -> Chunk:
        """Where every event is delivered as it is, the place to cut is looked up: 0.3 µs less."""
        first, records = self._next, self._records
        before = self._ends[first - 1] if first else 0
        end = whole = max(bisect_right(self._ends, before + bytes_max), first + 1)
        while whole > first and records[whole - 1].more_in_command:
            whole -= 1
        self._next = end = whole if whole > first else end
        return Chunk(self._encoded[first:end], records[end - 1].position, whole > first)


def _whole(page: list[EventRecord]) -> list[EventRecord]:
    """The page without a last command that goes on behind it, unless that is all there is: a next
    page that begins with the command holds all of it, and so may a frame."""
    end = len(page)
    while end and page[end - 1].more_in_command:
        end -= 1
    return page[:end] or page


def cut(records: Sequence[EventRecord], view: View, encode: Encode, bytes_max: int) -> Chunk:
    """The first frame's worth of consecutive events: it ends with a command, where one fits.

    At least one event is taken, however large. Raises UnreadableEvent as `View.encode` does.
    """
    see = encode if view.plain else partial(view.encode, encode=encode)
    events: list[bytes] = []
    size, position = 0, records[0].position
    whole, whole_position = 0, 0
    for record in records:
        encoded = see(record)
        if encoded is not None:
            size += len(encoded)
            if size > bytes_max and events:
                break
            events.append(encoded)
        position = record.position
        if not record.more_in_command:
            whole, whole_position = len(events), position
    if whole_position:
        return Chunk(events[:whole], whole_position, ends_command=True)
    return Chunk(events, position, ends_command=False)
