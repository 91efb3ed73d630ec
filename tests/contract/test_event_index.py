"""What every index of events promises."""

from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.samples import an_event, id_v7

from gesta.store import (
    EventIndex,
    EventRecord,
    MemoryEventIndex,
    MemoryStore,
    SqliteEventIndex,
    Stream,
    index_up_to,
)
from gesta.store.event_index import PAGE_EVENTS, Found
from gesta.store.port import Batch, LogInfo

ALL = 1 << 62


def events_of(*types: str, first: int = 1) -> list[EventRecord]:
    """One event of each type named, from a position on."""
    stream = Stream("T", "a")
    return [
        an_event(position, stream, position)._replace(event_type=each)
        for position, each in enumerate(types, first)
    ]


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def log(store: MemoryStore) -> LogInfo:
    return await store.open()


@pytest.fixture(params=["memory", "sqlite"])
async def index(
    request: pytest.FixtureRequest, tmp_path: Path, store: MemoryStore, log: LogInfo
) -> AsyncIterator[EventIndex]:
    opened: EventIndex
    opened = MemoryEventIndex() if request.param == "memory" else SqliteEventIndex(tmp_path)
    await opened.open(log, store)
    yield opened
    await opened.close()


async def test_an_empty_index_claims_nothing(index: EventIndex) -> None:
    assert index.indexed_up_to == 0
    assert await index.positions_of_type(["A"], 0, ALL, 10) == Found([], 0, 0)
    assert await index.positions_of_type(["A"], 5, ALL, 10, backwards=True) == Found([], 5, 5)
    assert await index.positions_of_correlation("c", 7, 10) == Found([], 7, 7)


async def test_positions_of_types_ascend_from_after_to_until(index: EventIndex) -> None:
    assert await index.add(events_of(*"ABACBA")) == 6
    assert await index.positions_of_type(["A"], 0, 6, 10) == Found([1, 3, 6], 0, 6)
    assert await index.positions_of_type(["A"], 1, 5, 10) == Found([3], 1, 5)
    assert await index.positions_of_type(["B", "A"], 1, 6, 10) == Found([2, 3, 5, 6], 1, 6)
    assert await index.positions_of_type(["A", "A"], 0, 6, 10) == Found([1, 3, 6], 0, 6)
    assert await index.positions_of_type(["D"], 0, 6, 10) == Found([], 0, 6)
    assert await index.positions_of_type([], 0, 6, 10) == Found([], 0, 6)
    assert await index.positions_of_type(["A"], -5, 1, 10) == Found([1], 0, 1)


async def test_an_answer_ends_with_the_last_position_that_its_limit_let_in(
    index: EventIndex,
) -> None:
    await index.add(events_of(*"ABACBA"))
    assert await index.positions_of_type(["A"], 0, 6, 2) == Found([1, 3], 0, 3)
    assert await index.positions_of_type(["A", "C"], 1, 6, 2) == Found([3, 4], 1, 4)
    assert await index.positions_of_type(["A"], 0, 6, 3) == Found([1, 3, 6], 0, 6)
    assert await index.positions_of_type(["A"], 0, 6, 0) == Found([], 0, 0)


async def test_backwards_positions_descend_and_the_limit_cuts_off_the_earliest(
    index: EventIndex,
) -> None:
    await index.add(events_of(*"ABACBA"))

    async def backwards(types: str, after: int, until: int, limit: int) -> Found:
        return await index.positions_of_type(types, after, until, limit, backwards=True)

    assert await backwards("A", 0, 6, 10) == Found([6, 3, 1], 0, 6)
    assert await backwards("AB", 1, 5, 10) == Found([5, 3, 2], 1, 5)
    assert await backwards("A", 0, 6, 2) == Found([6, 3], 2, 6)
    assert await backwards("AB", 0, 5, 3) == Found([5, 3, 2], 1, 5)
    assert await backwards("A", 0, 6, 0) == Found([], 0, 0)


async def test_no_answer_claims_more_than_is_indexed(index: EventIndex) -> None:
    await index.add(events_of(*"ABA"))
    assert await index.positions_of_type(["A"], 0, 99, 10) == Found([1, 3], 0, 3)
    assert await index.positions_of_type(["C"], 0, 99, 10) == Found([], 0, 3)
    assert await index.positions_of_type(["A"], 0, 99, 10, backwards=True) == Found([3, 1], 0, 3)
    assert await index.positions_of_type(["A"], 3, 99, 10) == Found([], 3, 3)
    assert await index.positions_of_type(["A"], 50, 99, 10) == Found([], 50, 50)
    correlation = str(UUID(bytes=events_of("A", first=2)[0].command_id))
    assert await index.positions_of_correlation(correlation, 0, 10) == Found([2], 0, 3)
    assert await index.positions_of_correlation(correlation, 9, 10) == Found([], 9, 9)


async def test_events_are_learnt_only_where_they_go_on_from_what_is_known(
    index: EventIndex,
) -> None:
    assert await index.add(events_of("A", first=2)) == 0
    assert await index.add([]) == 0
    assert await index.add(events_of("A", "B")) == 2
    assert await index.add(events_of("A", "B")) == 2
    assert await index.add(events_of("A", first=4)) == 2
    assert await index.add(events_of("A", first=3)) == 3
    assert await index.positions_of_type(["A"], 0, 9, 9) == Found([1, 3], 0, 3)


async def test_a_correlation_has_the_events_that_name_it_and_those_of_its_own_command(
    index: EventIndex,
) -> None:
    root = id_v7(1_000, 0xABCDEF)
    named = str(UUID(bytes=root))
    events = events_of(*"AAAAAA")
    for at, (command_id, correlation) in enumerate(
        [
            (root, None),
            (root, ""),
            (id_v7(2, 2), named),
            (id_v7(2, 3), "order 7"),
            (id_v7(2, 4), named.upper()),
            (id_v7(2, 5), "order 7"),
        ]
    ):
        events[at] = events[at]._replace(command_id=command_id, correlation_id=correlation)
    await index.add(events)
    assert await index.positions_of_correlation(named, 0, 10) == Found([1, 2, 3], 0, 6)
    assert await index.positions_of_correlation(named, 1, 10) == Found([2, 3], 1, 6)
    assert await index.positions_of_correlation(named, 0, 2) == Found([1, 2], 0, 2)
    assert await index.positions_of_correlation(named.upper(), 0, 10) == Found([5], 0, 6)
    assert await index.positions_of_correlation("order 7", 0, 10) == Found([4, 6], 0, 6)
    assert await index.positions_of_correlation("order 8", 0, 10) == Found([], 0, 6)
    assert await index.positions_of_correlation("", 0, 10) == Found([], 0, 6)


async def test_begun_anew_it_knows_nothing_and_learns_again(index: EventIndex) -> None:
    await index.add(events_of(*"AB"))
    await index.begin_anew()
    assert index.indexed_up_to == 0
    assert await index.positions_of_type(["A"], 0, 9, 9) == Found([], 0, 0)
    assert await index.add(events_of(*"BA")) == 2
    assert await index.positions_of_type(["A"], 0, 9, 9) == Found([2], 0, 2)


async def test_it_is_filled_from_the_log_up_to_a_head(
    index: EventIndex, store: MemoryStore
) -> None:
    events = events_of(*["odd", "even"] * (PAGE_EVENTS + 4))
    await store.append(Batch(1, events, [Stream("T", "a")] * len(events)))
    assert await index_up_to(index, store, 5) == 5
    assert await index.positions_of_type(["odd"], 0, ALL, 9) == Found([1, 3, 5], 0, 5)
    assert await index_up_to(index, store, len(events)) == len(events)
    answer = await index.positions_of_type(["even"], 0, ALL, 9_999)
    assert answer == Found(list(range(2, len(events) + 1, 2)), 0, len(events))
    assert await index_up_to(index, store, len(events)) == len(events)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from("ABCDé"), max_size=40), max_size=6),
    st.lists(
        st.tuples(
            st.sets(st.sampled_from("ABCDE"), max_size=3),
            st.integers(0, 150),
            st.integers(0, 150),
            st.integers(1, 9),
            st.booleans(),
        ),
        max_size=12,
    ),
)
async def test_both_give_the_same_answers(
    batches: list[list[str]], questions: list[tuple[set[str], int, int, int, bool]]
) -> None:
    with TemporaryDirectory() as directory:
        store = MemoryStore()
        log = await store.open()
        memory, sqlite = MemoryEventIndex(), SqliteEventIndex(Path(directory))
        for index in (memory, sqlite):
            await index.open(log, store)
            first = 1
            for batch in batches:
                await index.add(events_of(*batch, first=first))
                first += len(batch)
        for types, after, until, limit, backwards in questions:
            answers = [
                await index.positions_of_type(types, after, until, limit, backwards=backwards)
                for index in (memory, sqlite)
            ]
            assert answers[0] == answers[1]
            assert all((a > b) == backwards for a, b in pairwise(answers[0].positions))
        await sqlite.close()
