"""Cursors: what a filter lets through, and what a reader costs while it passes over or stands."""

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.engine.harness import Running, Start, positions, settle
from tests.unit.engine.tally import add, ask

from gesta.engine.errors import CorruptEvent
from gesta.engine.feed import Cursor
from gesta.engine.filters import Filter, FilterItem
from gesta.engine.limits import Limits
from gesta.engine.messages import Envelope
from gesta.engine.tail import Encode
from gesta.engine.views import View
from gesta.store.port import CorruptLog, EventRecord

STAMPED = Filter([FilterItem(event_types=frozenset({"Stamped"}))])
ADDED = Filter([FilterItem(event_types=frozenset({"Added"}))])
BEHIND = Limits(tail_events_max=2, frame_bytes_max=200)

names = st.sampled_from(["A", "B", "C"])
prefixes = st.sampled_from(["", "a", "ab", "b"])
items = st.builds(FilterItem, st.frozensets(names), st.frozensets(names), prefixes)


def follow(run: Running, wanted: Filter | None = None, after: int = 0) -> Cursor:
    view = View(run.engine.evolving, wanted or Filter())
    return run.engine.feed.cursor(after, view)


async def rest(run: Running, cursor: Cursor) -> list[int]:
    """The positions of all that is still to come."""
    found: list[int] = []
    while cursor.position < run.engine.head:
        found += positions((await cursor.read()).events)
    return found


def record(aggregate_type: str, aggregate_id: str, event_type: str) -> EventRecord:
    return EventRecord(
        1,
        aggregate_type,
        aggregate_id,
        1,
        bytes(16),
        event_type,
        1,
        b"{}",
        bytes(16),
        False,
        0,
        None,
        None,
        None,
        "anonymous",
        None,
        None,
    )


@given(st.lists(items), st.lists(st.tuples(names, st.sampled_from(["", "a", "abc", "b"]), names)))
def test_an_event_matches_a_filter_if_every_part_of_some_item_holds(
    given_items: list[FilterItem], events: list[tuple[str, str, str]]
) -> None:
    wanted = Filter(given_items)
    for aggregate_type, aggregate_id, event_type in events:
        expected = not given_items or any(
            (not item.aggregate_types or aggregate_type in item.aggregate_types)
            and (not item.event_types or event_type in item.event_types)
            and aggregate_id.startswith(item.id_prefix)
            for item in given_items
        )
        assert wanted.matches(record(aggregate_type, aggregate_id, event_type)) == expected


def test_a_filter_over_events_of_many_types_remembers_only_some_and_finds_all() -> None:
    wanted = Filter([FilterItem(event_types=frozenset({f"T{n}" for n in range(0, 2_000, 2)}))])
    for n in [*range(2_000), *range(2_000)]:
        assert wanted.matches(record("A", "a", f"T{n}")) == (n % 2 == 0)
    assert len(wanted._prefixes) <= 256


async def test_a_filter_that_passes_over_a_long_tail_lets_others_have_their_turn(
    start: Start,
) -> None:
    run = await start(Limits(scan_page_events=10))
    await run.tell("a", ask("flood", count=500)).accepted()
    reading = asyncio.ensure_future(rest(run, follow(run, STAMPED)))
    turns = 0
    while not reading.done():
        await asyncio.sleep(0)
        turns += 1
    assert await reading == []
    assert turns >= 500 // 10


async def test_a_reader_that_has_stopped_loses_its_page_and_reads_on_from_there(
    start: Start,
) -> None:
    run = await start(BEHIND)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run)
    first = positions((await cursor.read()).events)
    held = [cursor.behind_tail]
    for _ in range(2):
        run.engine.feed.drop_pages()
        held.append(cursor.behind_tail)
    assert held == [False, False, True]
    assert first + await rest(run, cursor) == list(range(1, 51))


async def test_a_reader_that_goes_on_keeps_its_page(start: Start) -> None:
    run = await start(BEHIND)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor, found = follow(run), list[int]()
    while cursor.position < run.engine.head:
        found += positions((await cursor.read()).events)
        run.engine.feed.drop_pages()
    assert run.store.pages_read == 1
    assert found == list(range(1, 51))


SHORT_PAGES = Limits(
    tail_events_max=2, frame_bytes_max=200, scan_page_events=10, events_per_command_max=10
)


async def test_two_pages_are_read_while_one_is_delivered_and_none_beyond_them(
    start: Start,
) -> None:
    run = await start(SHORT_PAGES)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run)
    first = positions((await cursor.read()).events)
    await settle()
    assert run.store.pages_read == 3
    while cursor.position < 10:
        first += positions((await cursor.read()).events)
        await settle()
    assert run.store.pages_read == 3
    first += positions((await cursor.read()).events)
    await settle()
    assert run.store.pages_read == 4
    assert first + await rest(run, cursor) == list(range(1, 51))
    assert run.store.pages_read == 5


async def test_a_reader_that_comes_to_the_tail_holds_no_page(start: Start) -> None:
    run = await start(SHORT_PAGES)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run)
    await rest(run, cursor)
    assert cursor._page is None
    assert not cursor._ahead.begun
    assert cursor._ahead._last is None


async def test_a_page_that_cannot_be_read_is_told_of_behind_the_events_before_it(
    start: Start,
) -> None:
    run = await start(SHORT_PAGES)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    run.store.page_errors.extend([None, CorruptLog("damaged", 17)])
    cursor, found = follow(run), list[int]()
    while cursor.position < 10:
        found += positions((await cursor.read()).events)
    with pytest.raises(CorruptEvent):
        await cursor.read()
    assert found == list(range(1, 11))
    assert await rest(run, cursor) == list(range(11, 51))


async def test_after_an_event_that_could_not_be_read_none_is_passed_over(start: Start) -> None:
    class Stumbling(View):
        stumbled = False

        def encode(self, record: EventRecord, encode: Encode) -> bytes | None:
            if record.position == 11 and not self.stumbled:
                self.stumbled = True
                raise CorruptEvent(11)
            return super().encode(record, encode)

    run = await start(SHORT_PAGES)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = run.engine.feed.cursor(0, Stumbling(run.engine.evolving, ADDED))
    found, stumbles = list[int](), 0
    while cursor.position < run.engine.head:
        try:
            found += positions((await cursor.read()).events)
        except CorruptEvent:
            stumbles += 1
    assert (stumbles, found) == (1, list(range(1, 51)))


async def test_a_reader_that_leaves_lets_go_of_the_page_that_is_being_read(start: Start) -> None:
    run = await start(SHORT_PAGES)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run)
    await cursor.read()
    run.store.pages.close()
    await settle()
    (reading,) = run.store.pages.held()
    cursor.drop_page()
    await settle()
    assert reading.cancelled()
    assert cursor.behind_tail


async def test_a_reader_that_has_stopped_lets_go_of_the_page_that_was_read_ahead(
    start: Start,
) -> None:
    run = await start(SHORT_PAGES)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run, STAMPED)  # none of them: a page is one chunk
    run.store.pages.close()
    first = asyncio.ensure_future(cursor.read())
    await run.store.pages.arrived()
    run.store.pages.let()
    await first
    await settle()
    (ahead,) = run.store.pages.held()
    for _ in range(2):
        run.engine.feed.drop_pages()
    await settle()
    assert ahead.cancelled()


async def test_pages_go_with_the_ticks(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gesta.engine.engine._TICK_S", 0)
    run = await start(BEHIND)
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run)
    await cursor.read()
    await settle()
    assert cursor.behind_tail


async def test_after_a_tick_that_failed_the_next_one_comes(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesta.engine.engine._TICK_S", 0)
    run = await start(BEHIND)

    def broken() -> int:
        raise RuntimeError("no clock")

    with monkeypatch.context() as patched:
        patched.setattr(run.clock, "now_us", broken)
        await settle()
    for _ in range(50):
        await run.tell("a", add()).accepted()
    cursor = follow(run)
    await cursor.read()
    await settle()
    assert cursor.behind_tail


async def test_metadata_counts_in_the_bytes_of_the_tail(start: Start) -> None:
    run = await start(Limits(tail_bytes_max=10_000))
    tail = run.engine.feed.tail
    for _ in range(20):
        envelope = Envelope(metadata=b"m" * 1_000)
        await run.tell("a", ask("flood", count=3), envelope=envelope).accepted()
        first = next(n for n in range(run.engine.head + 1) if tail.reaches(n))
        assert 0 < (run.engine.head - first) * 1_000 < 10_000
    assert await rest(run, follow(run)) == list(range(1, 61))


async def test_readers_of_everything_at_the_same_place_are_given_the_same_chunk(
    start: Start,
) -> None:
    run = await start()
    await run.tell("a", add()).accepted()
    await run.tell("a", add()).accepted()
    first, second, ahead, choosy = (
        follow(run),
        follow(run),
        follow(run, after=1),
        follow(run, ADDED),
    )
    chunk = await first.read()
    chosen = await choosy.read()
    from_there = await ahead.read()
    assert positions(from_there.events) == [2]
    assert positions(chosen.events) == positions(chunk.events) == [1, 2]
    assert chosen is not chunk
    again = await follow(run).read()
    assert await second.read() is again
    assert again is not from_there
    await run.tell("a", add()).accepted()
    assert positions((await follow(run).read()).events) == [1, 2, 3]


@pytest.mark.parametrize("seed", range(20))
async def test_readers_in_any_order_get_what_is_theirs_once_and_in_order(
    start: Start, seed: int
) -> None:
    run, chance = await start(Limits(scan_page_events=3)), random.Random(seed)
    readers = [(follow(run, wanted), wanted) for wanted in [None, ADDED, STAMPED, None, None] * 2]
    found: list[list[int]] = [[] for _ in readers]
    for _ in range(200):
        place = chance.randrange(len(readers))
        cursor, _ = readers[place]
        if cursor.position < run.engine.head:
            found[place] += positions((await cursor.read()).events)
        elif chance.random() < 0.3:
            await run.tell("a", chance.choice([add(), ask("stamp")])).accepted()
    for place, (cursor, _) in enumerate(readers):
        found[place] += await rest(run, cursor)
    stamped = set(await rest(run, follow(run, STAMPED)))
    everything = list(range(1, run.engine.head + 1))
    assert len(everything) > len(stamped) > 0
    for positions_found, (_, wanted) in zip(found, readers, strict=True):
        is_stamped = None if wanted is None else wanted is STAMPED
        assert positions_found == [n for n in everything if is_stamped in (None, n in stamped)]
