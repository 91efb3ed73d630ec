"""Subscriptions: a subscriber is a cursor, and a cursor is a position.

Nothing is queued for anybody. A reader near the head reads the shared tail, one behind it reads
pages from the store, and one that has stopped costs nothing but its frames in flight.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any

from gesta.engine.ahead import Ahead
from gesta.engine.chunks import Chunk, cut
from gesta.engine.limits import Limits
from gesta.engine.pages import Page, Pages
from gesta.engine.tail import Encode, Tail
from gesta.engine.views import View
from gesta.engine.waiters import Waiters
from gesta.store.port import EventRecord

_AROUND_BYTES = 64
"""Of a frame: its own tags and lengths, and the checkpoint's token. A frame with them is within
`frame_bytes_max`."""


class Feed:
    """The head of the log, its tail, and whoever waits for it to move."""

    def __init__(self, pages: Pages, head: int, encode: Encode, limits: Limits) -> None:
        self._limits = limits
        self.pages = pages
        """What is behind the tail."""
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
        return Cursor(self, self._limits, position, view)


class Cursor:
    """One reader's place in the log."""

    def __init__(self, feed: Feed, limits: Limits, position: int, view: View) -> None:
        self._feed = feed
        self._limits = limits
        self._view = view
        self._page: Page | None = None
        self._ahead = Ahead(self._following)
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

    async def _next_page(self) -> Page:
        if not self._ahead.begun:
            self._ahead.begin(self._read_page(self.position))
        return await self._ahead.take()

    def _following(self, page: Page) -> Coroutine[Any, Any, Page] | None:
        """The read of the page behind that one, unless it is in the tail, or yet to come."""
        last = page.last
        if last < self._feed.head and not self._feed.tail.reaches(last):
            return self._read_page(last)
        return None

    def _read_page(self, after: int) -> Coroutine[Any, Any, Page]:
        return self._feed.pages.read(after, self._feed.head, self._view)
