"""Pages of the log read column by column hold what was written, or are left to be read by rows."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.logs import behind_the_back

from gesta.store import CorruptLog, EventRecord, SqliteStore
from gesta.store.columns import EVENTS_MAX, Block, block_of
from gesta.store.reading import Reader

EVENTS = 40
Fields = Callable[[int], dict[str, object]]
"""What differs from the usual in the event with that number, from 0."""


def usual(n: int) -> dict[str, object]:
    return {}


def in_every_event(n: int) -> dict[str, object]:
    return {
        "occurred_at_us": n,
        "correlation_id": f"corr-{n}-é",
        "causation_id": "",
        "traceparent": "00-trace",
        "metadata": b'{"k":"\xc3\xa9"}',
        "more_in_command": n % 3 == 0,
        "data": b'{\n"text":"\xf0\x9f\x8d\x80"}',
    }


def in_some(n: int) -> dict[str, object]:
    return in_every_event(n) if n % 4 == 1 else {}


def odd(n: int) -> dict[str, object]:
    if n != 7:
        return {}
    return {"correlation_id": "\x1e", "causation_id": "\x1d", "data": b'{"\x00\x1e"}'}


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path)
    await store.open()
    yield store
    await store.close()


async def write(store: SqliteStore, fields: Fields, events: int = EVENTS) -> list[EventRecord]:
    author = Author(store)
    batch = author.batch([f"a-{n % 7}" for n in range(events)])
    for n, event in enumerate(batch.events):
        batch.events[n] = event._replace(**fields(n))  # type: ignore[arg-type]
    await author.append(batch)
    return author.written


async def block(store: SqliteStore, until: int, bytes_max: int = PAGE) -> Block | None:
    def read(reader: Reader) -> Block | None:
        streams, names = reader._streams, reader._names.texts
        return block_of(reader.connection, streams, names, 0, until, bytes_max)

    return await store._readers.run(read)


@pytest.mark.parametrize("fields", [usual, in_every_event, in_some])
async def test_columns_hold_what_was_written(store: SqliteStore, fields: Fields) -> None:
    written = await write(store, fields)
    found = await block(store, EVENTS)
    assert found is not None
    assert found.columns.events() == written
    assert found.size == sum(len(e.data) + len(e.metadata or b"") for e in written)


async def test_a_text_with_a_separator_in_it_is_read_all_the_same(store: SqliteStore) -> None:
    written = await write(store, odd)
    assert await block(store, EVENTS) is None
    assert await store.read_log(0, EVENTS, EVENTS, PAGE) == written


async def test_events_larger_than_what_is_taken_are_left_to_be_read_by_rows(
    store: SqliteStore,
) -> None:
    written = await write(store, lambda n: {"data": b'{"x":"%s"}' % (b"x" * 1_000)})
    assert await block(store, EVENTS, bytes_max=20_000) is None
    assert await store.read_log(0, EVENTS, EVENTS, 20_000) == written[:19]
    assert await block(store, EVENTS) is not None


async def test_a_page_of_several_blocks_ends_at_its_limit_of_events_or_of_bytes(
    store: SqliteStore,
) -> None:
    events = 2 * EVENTS_MAX + 100
    written = await write(store, usual, events)
    size = len(written[0].data)
    assert await store.read_log(0, events, events, PAGE) == written
    assert await store.read_log(3, events, EVENTS_MAX + 20, PAGE) == written[3 : EVENTS_MAX + 23]
    for count in (1, EVENTS_MAX, EVENTS_MAX + 1, 2 * EVENTS_MAX + 30):
        assert await store.read_log(0, events, events, size * count) == written[:count]


@pytest.mark.parametrize("remembered", [1, 3, EVENTS, EVENTS + 1])
async def test_events_of_more_streams_than_are_remembered_are_read_all_the_same(
    tmp_path: Path, remembered: int
) -> None:
    store = SqliteStore(tmp_path, streams_in_memory_max=remembered, readers=1)
    await store.open()
    try:
        author = Author(store)
        await author.append(author.batch([f"a-{n}" for n in range(EVENTS)]))
        for _ in range(2):
            assert await store.read_log(0, EVENTS, EVENTS, PAGE) == author.written
            assert await store._readers.run(lambda reader: len(reader._streams)) <= remembered
    finally:
        await store.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE events SET commit_time_us = commit_time_us + 1 WHERE position = 23",
        "UPDATE events SET data = '{}' WHERE position = 23",
        "UPDATE events SET event_id = x'00' WHERE position = 23",
        "UPDATE events SET more_in_command = 2 WHERE position = 23",
        "UPDATE events SET correlation_id = '' WHERE position = 23",
        "UPDATE events SET principal_id = 999 WHERE position = 23",
        "DELETE FROM events WHERE position = 23",
        "UPDATE events SET stream_id = 999 WHERE position = 23",
    ],
)
async def test_damage_among_many_events_is_told_with_its_position(
    tmp_path: Path, change: str
) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    await write(store, usual)
    await store.close()
    with behind_the_back(tmp_path) as connection:
        assert connection.execute(change).rowcount == 1
    await store_refuses_23(tmp_path)


async def store_refuses_23(directory: Path) -> None:
    store = SqliteStore(directory)
    await store.open()
    try:
        with pytest.raises(CorruptLog):
            await store.read_log(0, EVENTS, EVENTS, PAGE)
        assert len(await store.read_log(0, 22, EVENTS, PAGE)) == 22
        assert len(await store.read_log(23, EVENTS, EVENTS, PAGE)) == EVENTS - 23
    finally:
        await store.close()
