"""The index of events: filled behind the head, and read where a reader wants few kinds of events.

It may be behind, or lost: what it does not know is scanned. What it says is read from the log, so a
wrong place shows: then it is begun anew, and the log is scanned instead.
"""

import asyncio
import logging
import time

from gesta.engine.feed import Feed
from gesta.engine.limits import Limits
from gesta.engine.sought import Sought
from gesta.store.event_index import PAGE_EVENTS, EventIndex, Found
from gesta.store.port import CorruptLog, EventRecord, EventStore, StoreError

_LOG = logging.getLogger("gesta.engine")

_PAGE_BYTES = 8_388_608
_RESTS = 2
"""After each page the index rests for twice the time that it took, so that commands go first."""

_RETRY_S = 60.0
"""How long to wait before trying again, where the index takes no more."""

_DENSE = 4
"""Where one event in so many is wanted, scanning them all is quicker than picking some."""


class Indexer:
    """Has the index follow the head, from `start` to `stop`."""

    def __init__(self, store: EventStore, index: EventIndex, feed: Feed, limits: Limits) -> None:
        self._store = store
        self._index = index
        self._feed = feed
        self._limits = limits
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="gesta-index")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            if self._index.indexed_up_to >= self._feed.head:
                await self._feed.wait_beyond(self._feed.head, _RETRY_S)
            head = self._feed.head
            await asyncio.sleep(self._limits.index_after_s)
            # Once the log stands still all of it is indexed; while it grows, a good deal at once.
            behind = self._feed.head - self._index.indexed_up_to
            if head == self._feed.head or behind >= self._limits.index_behind_events:
                await self._catch_up()

    async def _catch_up(self) -> None:
        try:
            while (before := self._index.indexed_up_to) < self._feed.head:
                begun = time.monotonic()
                if await self._index.add(await self._page(before)) <= before:
                    await asyncio.sleep(_RETRY_S)
                    return
                await asyncio.sleep(_RESTS * (time.monotonic() - begun))
        except StoreError:  # who reads the log for an answer tells
            _LOG.warning("the index of events is not filled: the log cannot be read")
            await asyncio.sleep(_RETRY_S)

    async def _page(self, after: int) -> list[EventRecord]:
        if self._feed.tail.reaches(after):
            return self._feed.tail.after(after, PAGE_EVENTS)
        return await self._store.read_log(after, self._feed.head, PAGE_EVENTS, _PAGE_BYTES)


class IndexedPages:
    """Pages of the log for a reader who seeks something, as a scan would give them, but without
    most of what is not sought. Raise what the store's pages raise."""

    def __init__(self, store: EventStore, index: EventIndex, limits: Limits) -> None:
        self._store = store
        self._index = index
        self._limits = limits

    async def after(self, sought: Sought, bound: int, head: int) -> list[EventRecord]:
        """What comes next after the bound, up to the head; nothing only at the end."""
        while bound < min(head, self._index.indexed_up_to):
            found = await self._find(sought, bound, head)
            if found.until <= bound or _is_dense(found):
                break
            page = await self._read(sought, found)
            if page is None:
                break
            if page:
                return page
            bound = found.until
        return await self._store.read_log(
            bound, head, self._limits.scan_page_events, self._limits.scan_page_bytes
        )

    async def before(self, sought: Sought, bound: int) -> list[EventRecord]:
        """The same backwards, before the bound."""
        if sought.event_types and 1 < bound <= self._index.indexed_up_to + 1:
            found = await self._index.positions_of_type(
                sought.event_types, 0, bound - 1, self._limits.scan_page_events, backwards=True
            )
            if found.until == bound - 1 and found.after < found.until and not _is_dense(found):
                page = await self._read(sought, found)
                if page is not None:
                    return page
        return await self._store.read_log_backwards(
            bound, self._limits.scan_page_events, self._limits.scan_page_bytes
        )

    async def _find(self, sought: Sought, after: int, head: int) -> Found:
        most = self._limits.scan_page_events
        if sought.event_types:
            return await self._index.positions_of_type(sought.event_types, after, head, most)
        return await self._index.positions_of_correlation(sought.correlation_id, after, most)

    async def _read(self, sought: Sought, found: Found) -> list[EventRecord] | None:
        """The events there; None where the log knows better than the index."""
        try:
            page = await self._store.read_positions(found.positions, self._limits.scan_page_bytes)
            other = next((each for each in page if not sought.is_met_by(each)), None)
            if other is None:
                return page
            reason = f"event {other.position} is not what it says"
        except CorruptLog as error:
            # If it is an event that is damaged, the scan that follows meets it, and says so.
            reason = str(error)
        _LOG.warning("the index of events is begun anew: %s", reason)
        await self._index.begin_anew()
        return None


def _is_dense(found: Found) -> bool:
    return len(found.positions) * _DENSE > found.until - found.after
