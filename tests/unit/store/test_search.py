"""Streams that are looked for together are found as each by itself is."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.samples import PAGE, Author, an_event
from tests.unit.store.logs import behind_the_back

from gesta.store import Batch, CorruptLog, SqliteStore, Stream, StreamHead, search
from gesta.store.finder import Sought
from gesta.store.packed import PAYLOAD_CHARS_MAX
from gesta.store.sqlite import FILE

IDS = [f"a-{n}" for n in range(20)]
TEXT = 'quotes " and \\, a line\n, a NUL \0, Žluťoučký kůň 🐎'


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path, readers=1)
    await store.open()
    yield store
    await store.close()


async def warm(store: SqliteStore) -> None:
    """Let the reader come to look for as many at once as it may."""
    for _ in range(5):
        await store.find_stream("BankAccount", "nobody", 9)


async def find(store: SqliteStore, *ids: str, events_max: int = 9) -> list[Any]:
    """Asked for in one turn."""
    asked = [store.find_stream("BankAccount", each, events_max) for each in ids]
    return await asyncio.gather(*asked, return_exceptions=True)


async def find_anew(folder: Path, *ids: str) -> list[Any]:
    """Asked for in one turn, of a store that is opened for it."""
    store = SqliteStore(folder, readers=1)
    await store.open()
    await warm(store)
    found = await find(store, *ids)
    await store.close()
    return found


def versions(found: list[Any]) -> list[int | None]:
    return [None if each is None else each.version for each in found]


async def test_many_are_found_as_each_by_itself_is(store: SqliteStore) -> None:
    author = Author(store)
    for n, each in enumerate(IDS):
        await author.write(*[each] * (n % 7 + 1))
    await warm(store)
    found = await find(store, *IDS, "nobody")
    assert found.pop() is None
    for head, each in zip(found, IDS, strict=True):
        assert isinstance(head, StreamHead)
        assert head.events == [e for e in author.written if e.aggregate_id == each]
        assert head.events == await store.read_stream(head.stream, 0, 99, PAGE)


async def test_every_field_comes_back_as_it_was_written(store: SqliteStore) -> None:
    streams = [Stream("BankAccount", TEXT), Stream("Order", TEXT)]
    plain = [an_event(n, stream, 1) for n, stream in enumerate(streams, 1)]
    full = plain[1]._replace(
        occurred_at_us=-1,
        correlation_id=TEXT,
        causation_id="",
        principal=TEXT,
        traceparent="00-ab-cd-01",
        metadata=b'{"user_id":"\xc5\xbd"}',
        data=TEXT.encode(),
        schema_version=2**31 - 1,
        more_in_command=False,
    )
    await store.append(Batch(1_000_000, [plain[0], full], streams))
    await warm(store)
    asked = [store.find_stream(each.aggregate_type, TEXT, 9) for each in streams]
    one, other = await asyncio.gather(*asked)
    assert one is not None
    assert other is not None
    assert (one.events, other.events) == ([plain[0]], [full])


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET data = 'x' WHERE position = 2",
        "UPDATE events SET data = CAST(x'FF' AS TEXT) WHERE position = 2",
        "UPDATE events SET principal_id = 99 WHERE position = 2",
        "UPDATE events SET stream_id = 99 WHERE position = 2",
        "UPDATE streams SET checksum = checksum + 1 WHERE aggregate_id = 'a-1'",
        "DELETE FROM events WHERE position = 2",
    ],
)
async def test_a_damaged_stream_fails_alone(tmp_path: Path, change: str) -> None:
    store = SqliteStore(tmp_path, readers=1)
    await store.open()
    author = Author(store)
    await author.write(*IDS[:4], *IDS[:4])
    await store.close()
    with behind_the_back(tmp_path) as connection:
        assert connection.execute(change).rowcount == 1
    found = await find_anew(tmp_path, *IDS[:4])
    assert isinstance(found.pop(1), CorruptLog)
    assert versions(found) == [2, 2, 2]


async def test_a_stream_does_not_end_early_where_the_index_says_another_version(
    tmp_path: Path,
) -> None:
    store = SqliteStore(tmp_path, readers=1)
    await store.open()
    await Author(store).write(*IDS[:4], *IDS[:4], *IDS[:4])
    await store.close()
    path = tmp_path / FILE
    content = path.read_bytes()
    entry = bytes((4, 1, 1, 1, 2, 2, 6))  # three numbers of a byte: stream, version, position
    assert content.count(entry) == 1
    path.write_bytes(content.replace(entry, bytes((4, 1, 1, 1, 2, 66, 6))))
    found = await find_anew(tmp_path, *IDS[:4])
    assert isinstance(found.pop(1), CorruptLog)
    assert versions(found) == [3, 3, 3]


async def test_large_payloads_and_long_streams_come_with_small_ones(store: SqliteStore) -> None:
    author = Author(store)
    await author.write("small", "long", "large")
    await author.write("large", data=b'"%b"' % (b"x" * PAYLOAD_CHARS_MAX))
    await author.write(*["long"] * 99)
    await warm(store)
    small, large, long = await find(store, "small", "large", "long")
    assert [len(each.events) for each in (small, large)] == [1, 2]
    assert large.events == [e for e in author.written if e.aggregate_id == "large"]
    assert (long.version, long.events) == (100, None)


async def test_the_events_of_a_long_stream_come_with_it_where_so_many_are_asked_for(
    store: SqliteStore,
) -> None:
    author = Author(store)
    await author.write(*["long"] * 99)
    (long,) = await find(store, "long", events_max=99)
    assert long.events == author.written


async def test_two_who_look_for_the_same_get_handles_of_their_own(store: SqliteStore) -> None:
    await Author(store).write("a")
    await warm(store)
    one, other = await find(store, "a", "a")
    assert one.events == other.events
    assert one.stream is not other.stream


def jobs_of(store: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many each job of the one reader answers, as they come."""
    (reader,) = [reader for _, reader in store._readers._readers]
    answered: list[int] = []
    search_some = reader._search.find

    def find_some(*asked: Any) -> list[Any]:
        answers = search_some(*asked)
        answered.append(len(answers))
        return answers

    monkeypatch.setattr(reader._search, "find", find_some)
    return answered


async def test_a_reader_that_takes_long_is_asked_for_fewer(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await Author(store).write(*IDS)
    await warm(store)
    jobs = jobs_of(store, monkeypatch)
    with monkeypatch.context() as slow:
        slow.setattr(search, "_TOOK_LONG_S", -1.0)
        assert versions(await find(store, *IDS)) == [1] * len(IDS)
        assert versions(await find(store, *IDS[:4])) == [1] * 4
    # What was read together is answered together, however long that took: never read again.
    assert jobs == [16, 4, 4]
    jobs.clear()
    assert versions(await find(store, *IDS)) == [1] * len(IDS)
    assert jobs == [2, 4, 8, 6]


async def test_nobody_waits_for_more_than_one_large_stream_where_that_takes_long(
    store: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    author = Author(store)
    for each in IDS[:3]:
        await author.write(each, data=b"x" * (PAYLOAD_CHARS_MAX + 1))
    await author.write("small")
    await warm(store)
    jobs = jobs_of(store, monkeypatch)
    monkeypatch.setattr(search, "_TOOK_LONG_S", -1.0)
    assert versions(await find(store, IDS[0], "small", *IDS[1:3])) == [1] * 4
    assert jobs == [2, 1, 1]


async def test_only_what_is_confirmed_is_found(store: SqliteStore) -> None:
    author = Author(store)
    await author.write("a", "a")
    bounds = store._bounds()
    await author.write("a", "b")
    (_, reader) = store._readers._readers[0]
    asked = [Sought("BankAccount", each, 9) for each in "ab"]
    reader._search._together = 2
    one, other = await store._read(type(reader).find_streams, bounds, asked)
    assert isinstance(one, StreamHead)
    assert one.events == author.written[:2]
    assert other is None
