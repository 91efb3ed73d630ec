"""What the reads of the log and of streams promise, for every store."""

import pytest
from tests.contract.samples import PAGE, Author

from gesta.store import CorruptLog, EventStore, Stream
from gesta.store.port import FEW_EVENTS_BYTES, EventColumns


@pytest.fixture
async def written(author: Author) -> Author:
    """Twelve events: three streams in turn, in batches of two."""
    ids = ["a", "b", "c"] * 4
    for index in range(0, 12, 2):
        await author.write(*ids[index : index + 2], commit_time_us=1_000_000 + index * 1_000)
    return author


async def test_an_empty_log_reads_as_empty(store: EventStore) -> None:
    assert await store.read_log(0, 10, 10, PAGE) == []
    assert await store.read_log_backwards(10, 10, PAGE) == []
    assert await store.position_at(10**18) == 0
    assert await store.list_streams("BankAccount", "", "", 10) == []


async def test_read_log_starts_after_and_ends_with_until(
    store: EventStore, written: Author
) -> None:
    assert await store.read_log(3, 7, 100, PAGE) == written.written[3:7]
    assert await store.read_log(0, 0, 100, PAGE) == []
    assert await store.read_log(7, 7, 100, PAGE) == []
    assert await store.read_log(12, 99, 100, PAGE) == []
    assert await store.read_log(50, 99, 100, PAGE) == []


async def test_read_log_stops_at_its_limit(store: EventStore, written: Author) -> None:
    assert await store.read_log(2, 99, 5, PAGE) == written.written[2:7]


async def test_columns_hold_what_a_page_of_the_log_does(store: EventStore, author: Author) -> None:
    await author.write(*"abcabca", data=b'"' + b"x" * 98 + b'"')
    for _ in range(4):
        await author.write(*"abc" * 100)
    for page in [(0, 9_999, 9_999, PAGE), (3, 900, 800, PAGE), (5, 40, 4, PAGE), (0, 7, 7, 250)]:
        found = await store.read_log_columns(*page, EventColumns.events)
        assert [event for events in found for event in events] == await store.read_log(*page)
        assert all(found)
    assert await store.read_log_columns(author.head, 9_999, 9, PAGE, EventColumns.events) == []
    assert await store.read_log_columns(3, 3, 9, PAGE, EventColumns.events) == []


async def test_what_fails_over_columns_is_raised_and_the_store_goes_on(
    store: EventStore, written: Author
) -> None:
    def fail(columns: EventColumns) -> None:
        raise LookupError(columns.position[0])

    with pytest.raises(LookupError):
        await store.read_log_columns(0, 9, 9, PAGE, fail)
    assert await store.read_log(0, 99, 99, PAGE) == written.written


async def test_read_log_backwards_starts_below_before(store: EventStore, written: Author) -> None:
    assert await store.read_log_backwards(6, 3, PAGE) == written.written[4:1:-1]
    assert await store.read_log_backwards(99, 2, PAGE) == written.written[:-3:-1]
    assert await store.read_log_backwards(1, 2, PAGE) == []
    assert await store.read_log_backwards(3, 9, PAGE) == written.written[1::-1]


async def test_read_stream_gives_one_stream_by_version(store: EventStore, written: Author) -> None:
    stream = written.stream("b")
    events = [each for each in written.written if each.aggregate_id == "b"]
    assert await store.read_stream(stream, 0, 100, PAGE) == events
    assert await store.read_stream(stream, 1, 2, PAGE) == events[1:3]
    assert await store.read_stream(stream, 4, 2, PAGE) == []
    assert await store.read_stream(stream, 9, 2, PAGE) == []


async def test_read_stream_backwards_goes_down_from_before(
    store: EventStore, written: Author
) -> None:
    stream = written.stream("b")
    events = [each for each in written.written if each.aggregate_id == "b"]
    assert await store.read_stream_backwards(stream, 99, 100, PAGE) == events[::-1]
    assert await store.read_stream_backwards(stream, 4, 2, PAGE) == [events[2], events[1]]
    assert await store.read_stream_backwards(stream, 1, 2, PAGE) == []


async def test_a_stream_without_a_number_reads_as_empty(store: EventStore) -> None:
    stream = Stream("BankAccount", "never")
    assert await store.read_stream(stream, 0, 10, PAGE) == []
    assert await store.read_stream_backwards(stream, 10, 10, PAGE) == []


async def test_a_page_stops_before_it_exceeds_bytes_max(store: EventStore, author: Author) -> None:
    await author.write(*"abc", data=b'"' + b"x" * 98 + b'"')
    await author.write("a", data=b'"' + b"y" * 998 + b'"')
    await author.write("a", data=b"1")
    stream, events = author.stream("a"), author.written
    assert await store.read_log(0, 9, 9, 200) == events[:2]
    assert await store.read_log(0, 9, 9, 199) == events[:1]
    assert await store.read_log_backwards(9, 9, 1_001) == events[:2:-1]
    assert await store.read_stream(stream, 0, 9, 1_099) == [events[0]]
    assert await store.read_stream(stream, 0, 9, 1_100) == [events[0], events[3]]
    assert await store.read_stream_backwards(stream, 9, 9, 1_000) == [events[4]]


async def test_metadata_counts_towards_bytes_max(store: EventStore, author: Author) -> None:
    batch = author.batch(["a", "b"], data=b"12345")
    for index in (0, 1):
        batch.events[index] = batch.events[index]._replace(metadata=b'{"k":"v"}')
    await author.append(batch)
    assert await store.read_log(0, 9, 9, 28) == batch.events
    assert await store.read_log(0, 9, 9, 27) == batch.events[:1]


async def test_a_page_has_one_event_however_large_it_is(store: EventStore, author: Author) -> None:
    await author.write("a", data=b'"' + b"x" * 100_000 + b'"')
    await author.write("a")
    stream, events = author.stream("a"), author.written
    assert await store.read_log(0, 9, 9, 1) == events[:1]
    assert await store.read_log_backwards(2, 9, 1) == events[:1]
    assert await store.read_stream(stream, 0, 9, 1) == events[:1]
    assert await store.read_stream_backwards(stream, 2, 9, 1) == events[:1]


async def test_read_positions_gives_those_events_in_the_order_asked(
    store: EventStore, written: Author
) -> None:
    events = written.written
    assert await store.read_positions([]) == []
    assert await store.read_positions([7]) == [events[6]]
    assert await store.read_positions([12, 1, 5, 5]) == [events[11], events[0], *[events[4]] * 2]
    assert await store.read_positions(range(1, 13)) == events


async def test_read_positions_reads_as_many_as_are_asked(store: EventStore, author: Author) -> None:
    for _ in range(20):
        await author.write(*"abcdefghij")
    positions = [*range(200, 0, -3), *range(1, 200, 2)]
    assert await store.read_positions(positions) == [author.written[n - 1] for n in positions]


async def test_read_positions_stops_before_it_exceeds_bytes_max(
    store: EventStore, author: Author
) -> None:
    await author.write(*"abcd", data=b'"' + b"x" * 98 + b'"')
    assert await store.read_positions([4, 2, 1], 299) == [author.written[3], author.written[1]]
    assert await store.read_positions([4, 2, 1], 300) == [author.written[n] for n in (3, 1, 0)]
    assert await store.read_positions([4, 2, 1], 1) == [author.written[3]]


@pytest.mark.parametrize("missing", [-1, 0, 13, 1 << 40])
async def test_a_position_without_an_event_is_reported(
    store: EventStore, written: Author, missing: int
) -> None:
    with pytest.raises(CorruptLog, match=f"position {missing} is missing") as caught:
        await store.read_positions([1, missing, 2])
    assert caught.value.position == missing


async def test_position_at_is_the_last_event_at_or_before_a_time(
    store: EventStore, written: Author
) -> None:
    times = [each.commit_time_us for each in written.written]
    assert await store.position_at(times[0] - 1) == 0
    assert await store.position_at(times[0]) == 2
    assert await store.position_at(times[2] - 1) == 2
    assert await store.position_at(times[2]) == 4
    assert await store.position_at(times[-1] + 1) == 12


async def test_find_stream_gives_the_last_version(store: EventStore, written: Author) -> None:
    found = await store.find_stream("BankAccount", "c")
    assert found is not None
    assert found.version == 4
    assert found.stream.number == written.stream("c").number
    assert await store.read_stream(found.stream, 3, 9, PAGE) == [written.written[11]]


@pytest.mark.parametrize("events_max", [-1, 0, 1, 3, 4, 5])
async def test_find_stream_gives_all_events_of_a_stream_that_has_no_more(
    store: EventStore, written: Author, events_max: int
) -> None:
    found = await store.find_stream("BankAccount", "c", events_max)
    assert found is not None
    assert found.version == 4
    assert found.stream.number == written.stream("c").number
    every = [each for each in written.written if each.aggregate_id == "c"]
    assert found.events == (every if events_max >= 4 else None)


async def test_find_stream_gives_no_part_of_events_that_are_too_large(
    store: EventStore, author: Author
) -> None:
    half = FEW_EVENTS_BYTES // 2
    await author.write("a", "a", data=b"x" * half)
    found = await store.find_stream("BankAccount", "a", 9)
    assert found is not None
    assert found.events is not None
    await author.write("a", data=b"{}")
    found = await store.find_stream("BankAccount", "a", 9)
    assert found is not None
    assert (found.version, found.events) == (3, None)


async def test_find_stream_knows_no_stream_without_events(
    store: EventStore, written: Author
) -> None:
    assert await store.find_stream("BankAccount", "d") is None
    assert await store.find_stream("Order", "a") is None


async def _listed(store: EventStore, prefix: str, after: str, limit: int) -> list[str]:
    heads = await store.list_streams("BankAccount", prefix, after, limit)
    return [each.stream.aggregate_id for each in heads]


async def test_list_streams_orders_by_the_bytes_of_the_id(
    store: EventStore, author: Author
) -> None:
    ids = ["b", "a", "Z", "é", "\U0001f9c0", "\uffee", "aa", "a\ud7ff", "a\ue000", "a\U0010ffffz"]
    await author.write(*ids)
    ordered = sorted(ids, key=str.encode)
    assert await _listed(store, "", "", 100) == ordered
    assert await _listed(store, "", ordered[3], 3) == ordered[4:7]


async def test_list_streams_keeps_to_its_prefix(store: EventStore, author: Author) -> None:
    await author.write("a", "a%", "ab", "a\U0010ffff", "a\U0010ffffz", "b", "\ud7ff1", "\ue000")
    assert await _listed(store, "a", "", 100) == ["a", "a%", "ab", "a\U0010ffff", "a\U0010ffffz"]
    assert await _listed(store, "a\U0010ffff", "", 100) == ["a\U0010ffff", "a\U0010ffffz"]
    assert await _listed(store, "a", "ab", 100) == ["a\U0010ffff", "a\U0010ffffz"]
    assert await _listed(store, "\ud7ff", "", 100) == ["\ud7ff1"]
    assert await _listed(store, "b", "a", 100) == ["b"]
    assert await _listed(store, "a", "b", 100) == []
    assert await _listed(store, "%", "", 100) == []


async def test_list_streams_gives_versions_and_keeps_to_its_type(
    store: EventStore, written: Author
) -> None:
    heads = await store.list_streams("BankAccount", "", "a", 10)
    assert [(each.stream.aggregate_id, each.version) for each in heads] == [("b", 4), ("c", 4)]
    assert await store.list_streams("Order", "", "", 10) == []
    assert await store.list_streams("BankAccount", "", "", 0) == []
