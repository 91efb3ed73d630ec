"""What is read through the index is what a scan finds, whatever the index knows."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence

import pytest
from tests.unit.engine.harness import Running, positions
from tests.unit.engine.held_store import ALL, HeldStore

from gesta.domain.catalog import Catalog
from gesta.engine.filters import EVERYTHING, Filter, FilterItem
from gesta.engine.indexing import IndexedPages, Indexer
from gesta.engine.limits import Limits
from gesta.engine.messages import Append, Envelope, Proposed
from gesta.engine.reading import Reading, ReadRequest
from gesta.engine.views import View
from gesta.store.event_index import correlation_key
from gesta.store.event_index_memory import MemoryEventIndex
from gesta.store.memory import MemoryStore
from gesta.store.port import EventRecord

KINDS = ("Rare", "Common", "Usual")
EVENTS = 600


class Counting(MemoryStore):
    """Counts the events that were read."""

    read = 0

    async def read_log(
        self, after: int, until: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        page = await super().read_log(after, until, limit, bytes_max)
        self.read += len(page)
        return page

    async def read_positions(
        self, positions: Sequence[int], bytes_max: int | None = None
    ) -> list[EventRecord]:
        page = await super().read_positions(positions, bytes_max)
        self.read += len(page)
        return page


class Telling(MemoryEventIndex):
    """Tells when it has learnt something."""

    def __init__(self) -> None:
        super().__init__()
        self.learnt = asyncio.Event()

    async def add(self, events: Sequence[EventRecord]) -> int:
        known = await super().add(events)
        self.learnt.set()
        return known


@pytest.fixture
async def run() -> AsyncIterator[Running]:
    """A log of an unhosted type's events, three of them rare; commands of one to three events."""
    running = Running(HeldStore(Counting()), Limits(scan_page_events=10), Catalog.of())
    await running.start()
    chance = random.Random(7)
    written = 0
    while written < EVENTS:
        kinds = chance.choices(KINDS, (1, 20, 80), k=chance.randint(1, 3))
        events = [Proposed("Log", f"a{written % 7}", kind, 1, b"{}", None, None) for kind in kinds]
        belongs = Envelope(correlation_id=f"story-{written % 50}")
        append = Append(events, (), running.ids.fresh(), b"m" * 16, belongs)
        await running.engine.appends.append(append)
        written += len(events)
    yield running
    running.engine.drain()
    await running.engine.close()


@pytest.fixture
def index() -> MemoryEventIndex:
    return MemoryEventIndex()


def view(run: Running, *items: FilterItem) -> View:
    return View(run.engine.evolving, Filter(items) if items else EVERYTHING)


async def read(run: Running, index: MemoryEventIndex, request: ReadRequest) -> list[int]:
    """The positions read, with that index."""
    pages = IndexedPages(run.store, index, run.limits)
    reading = Reading(run.store, pages, run.engine.feed, run.limits)
    head = run.engine.head
    return [place async for frame in reading.frames(request, head) for place in positions(frame)]


async def learn(run: Running, index: MemoryEventIndex, until: int) -> None:
    records = await run.store.inner.read_log(index.indexed_up_to, until, ALL, ALL)
    await index.add(records)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("known", [0, 1, 299, 300, EVENTS - 5, ALL])
@pytest.mark.parametrize(
    "items",
    [
        (FilterItem(event_types=frozenset({"Rare"})),),
        (FilterItem(event_types=frozenset({"Rare", "Common"}), id_prefix="a3"),),
        (
            FilterItem(event_types=frozenset({"Rare"})),
            FilterItem(event_types=frozenset({"Common"}), aggregate_types=frozenset({"Log"})),
        ),
        (FilterItem(event_types=frozenset({"Never"})),),
        (FilterItem(event_types=frozenset({"Usual"})),),
        (FilterItem(correlation_id="story-17"),),
        (FilterItem(correlation_id="none"),),
        (FilterItem(id_prefix="a1"),),
    ],
    # A set prints its items in another order in each process, and tests are shared by their ids.
    ids=["rare", "two types", "two items", "never", "usual", "correlation", "no correlation", "id"],
)
async def test_an_indexed_read_gives_what_a_scan_does(
    run: Running,
    index: MemoryEventIndex,
    items: tuple[FilterItem, ...],
    known: int,
    backwards: bool,
) -> None:
    await learn(run, index, min(known, run.engine.head))
    for bound in (None, 1, 250, 301, run.engine.head):
        for limit in (None, 1, 7):
            request = ReadRequest(view(run, *items), bound=bound, backwards=backwards, limit=limit)
            scanned = await read(run, MemoryEventIndex(), request)
            assert await read(run, index, request) == scanned, (bound, limit)


async def test_few_events_of_many_are_read_without_the_others(
    run: Running, index: MemoryEventIndex
) -> None:
    store = run.store.inner
    assert isinstance(store, Counting)
    rare = ReadRequest(view(run, FilterItem(event_types=frozenset({"Rare"}))))
    store.read = 0
    found = await read(run, index, rare)
    assert store.read == run.engine.head
    await learn(run, index, run.engine.head)
    store.read = 0
    assert await read(run, index, rare) == found
    assert store.read == len(found) > 0


async def test_most_events_are_scanned_though_they_are_indexed(
    run: Running, index: MemoryEventIndex
) -> None:
    store = run.store.inner
    assert isinstance(store, Counting)
    await learn(run, index, run.engine.head)
    usual = ReadRequest(view(run, FilterItem(event_types=frozenset({"Usual"}))))
    store.read = 0
    await read(run, index, usual)
    assert store.read == run.engine.head


async def test_an_index_that_the_log_contradicts_is_begun_anew_and_the_log_is_scanned(
    run: Running, index: MemoryEventIndex
) -> None:
    last = (await run.log())[-1]
    beyond = [last._replace(position=n, event_type="Rare") for n in range(1, 2_000, 90)]
    await learn(run, index, run.engine.head)
    index._of_type["Rare"] = [each.position for each in beyond]
    index._indexed_up_to = 2_000
    rare = ReadRequest(view(run, FilterItem(event_types=frozenset({"Rare"}))))
    head = run.engine.head
    pages = IndexedPages(run.store, index, run.limits)
    page = await pages.after(rare.view.sought(), 0, 5_000)  # type: ignore[arg-type]  # it has one
    assert page
    assert index.indexed_up_to == 0
    assert await read(run, index, rare) == [
        each.position for each in await run.log() if each.event_type == "Rare"
    ]
    assert head == run.engine.head


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "item", [FilterItem(event_types=frozenset({"Rare"})), FilterItem(correlation_id="story-17")]
)
async def test_an_index_that_takes_one_event_for_another_hides_none(
    run: Running, index: MemoryEventIndex, item: FilterItem, backwards: bool
) -> None:
    await learn(run, index, run.engine.head)
    request = ReadRequest(view(run, item), backwards=backwards)
    right = await read(run, MemoryEventIndex(), request)
    assert right
    for places in (index._of_type["Rare"], index._of_correlation[correlation_key("story-17")]):
        places[0] += 7
    assert await read(run, index, request) == right


async def test_the_index_follows_the_head_once_the_log_stands_still(run: Running) -> None:
    index = Telling()
    limits = Limits(index_after_s=0)
    indexer = Indexer(run.store, index, run.engine.feed, limits)
    indexer.start()
    async with asyncio.timeout(10):
        while index.indexed_up_to < run.engine.head:
            await index.learnt.wait()
            index.learnt.clear()
    await indexer.stop()
