"""What `append` promises, for every store."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.contract.samples import PAGE, Author, a_command, an_event, id_v7

from gesta.store import Batch, EventRecord, EventStore, StorageFailed, Stream


async def test_what_was_appended_is_read_back_equal(store: EventStore) -> None:
    stream = Stream("BankAccount", "käse 🧀")
    plain = an_event(1, stream, 1, more_in_command=True)
    full = EventRecord(
        position=2,
        aggregate_type="BankAccount",
        aggregate_id="käse 🧀",
        version=2,
        event_id=id_v7(5, 5),
        event_type="Renamed",
        schema_version=7,
        data='{"name":"Ωmega"}'.encode(),
        command_id=plain.command_id,
        more_in_command=False,
        commit_time_us=1_000_000,
        occurred_at_us=-1,
        correlation_id="order-7",
        causation_id="",
        principal="zoë",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        metadata=b'{"user_id":"u1"}',
    )
    await store.append(Batch(1_000_000, [plain, full], [stream, stream]))
    assert await store.read_log(0, 2, 10, PAGE) == [plain, full]


OF_A_COMMAND: dict[str, Any] = {
    "occurred_at_us": -1,
    "correlation_id": "order-7",
    "causation_id": "",
    "principal": "zoë",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "metadata": b'{"user_id":"u1"}',
}


@pytest.mark.parametrize("field", [None, *OF_A_COMMAND])
async def test_events_that_share_what_a_command_gave_them_keep_it_and_one_that_differs_its_own(
    store: EventStore, field: str | None
) -> None:
    stream = Stream("BankAccount", "a")
    events = [an_event(n, stream, n)._replace(**OF_A_COMMAND) for n in range(1, 4)]
    if field is not None:
        events[-1] = events[-1]._replace(**{field: getattr(an_event(3, stream, 3), field)})
    await store.append(Batch(1_000_000, events, [stream] * 3))
    assert await store.read_log(0, 3, 10, PAGE) == events


async def test_a_new_stream_gets_its_number_from_the_append(
    store: EventStore, author: Author
) -> None:
    batch = author.batch(["a", "b", "a"])
    assert [each.number for each in batch.streams] == [None, None, None]
    await author.append(batch)
    first, second, again = batch.streams
    assert first is again
    assert first.number is not None
    assert second.number not in (None, first.number)


async def test_a_known_stream_keeps_its_number(store: EventStore, author: Author) -> None:
    await author.write("a")
    number = author.stream("a").number
    await author.write("b", "a")
    assert author.stream("a").number == number
    found = await store.find_stream("BankAccount", "a")
    assert found is not None
    assert found.stream.number == number


async def test_the_same_id_under_two_types_is_two_streams(store: EventStore) -> None:
    account, order = Stream("BankAccount", "1"), Stream("Order", "1")
    events = [an_event(1, account, 1), an_event(2, order, 1)]
    await store.append(Batch(1, events, [account, order]))
    assert await store.read_stream(account, 0, 10, PAGE) == events[:1]
    assert await store.read_stream(order, 0, 10, PAGE) == events[1:]


async def test_a_batch_of_commands_without_events_is_remembered(
    store: EventStore, author: Author
) -> None:
    await author.write("a")
    quiet = a_command(id_v7(9_000, 1), position=1)
    await store.append(Batch(2_000_000, commands=[quiet]))
    assert await store.find_command(quiet.command_id) == quiet
    await author.write("a")


async def test_a_batch_of_many_sizes_is_written_whole(store: EventStore, author: Author) -> None:
    for size in (1, 3, 17, 64, 255, 256, 257, 1_000):
        await author.write(*(f"a{index % 40}" for index in range(size)))
    assert await store.read_log(0, author.head, 5_000, PAGE) == author.written


async def test_an_empty_batch_changes_nothing(store: EventStore, author: Author) -> None:
    await store.append(Batch(5))
    await author.write("a")
    assert await store.read_log(0, 9, 9, PAGE) == author.written


def _skipped_position(author: Author) -> Batch:
    batch = author.batch(["a"])
    batch.events[0] = batch.events[0]._replace(position=author.head + 2)
    return batch


def _taken_position(author: Author) -> Batch:
    batch = author.batch(["a"])
    batch.events[0] = batch.events[0]._replace(position=author.head)
    return batch


def _taken_version(author: Author) -> Batch:
    batch = author.batch(["b", "a"])
    batch.events[1] = batch.events[1]._replace(version=1)
    return batch


def _skipped_version(author: Author) -> Batch:
    batch = author.batch(["b", "a"])
    batch.events[1] = batch.events[1]._replace(version=3)
    return batch


def _taken_command_id(author: Author) -> Batch:
    batch = author.batch(["b", "a"])
    batch.commands[1] = batch.commands[1]._replace(command_id=author.written[0].command_id)
    return batch


def _command_id_twice(author: Author) -> Batch:
    batch = author.batch(["b", "a"])
    batch.commands[1] = batch.commands[1]._replace(command_id=batch.commands[0].command_id)
    return batch


def _stream_that_exists_as_new(author: Author) -> Batch:
    batch = author.batch(["a"])
    batch.streams[0] = Stream("BankAccount", "a")
    return batch


def _event_of_another_stream(author: Author) -> Batch:
    batch = author.batch(["a"])
    batch.events[0] = batch.events[0]._replace(aggregate_id="b")
    return batch


@pytest.mark.parametrize(
    "broken",
    [
        _skipped_position,
        _taken_position,
        _taken_version,
        _skipped_version,
        _taken_command_id,
        _command_id_twice,
        _stream_that_exists_as_new,
        _event_of_another_stream,
    ],
)
async def test_a_batch_that_breaks_an_invariant_stops_the_store(
    store: EventStore, author: Author, broken: Callable[[Author], Batch]
) -> None:
    await author.write("a")
    batch = broken(author)
    numbers = [each.number for each in batch.streams]
    with pytest.raises(StorageFailed):
        await store.append(batch)
    assert [each.number for each in batch.streams] == numbers
    with pytest.raises(StorageFailed):
        await store.append(author.batch(["a"]))
    with pytest.raises(StorageFailed):
        await store.read_log(0, 1, 1, PAGE)
    with pytest.raises(StorageFailed):
        await store.find_stream("BankAccount", "a")


async def test_readers_beside_an_append_see_whole_batches_or_nothing(
    store: EventStore, author: Author
) -> None:
    pages: list[list[EventRecord]] = []

    async def read_on() -> None:
        while len(pages) < 150:
            pages.append(await store.read_log(0, 1_000, 1_000, PAGE))

    async def write_on() -> None:
        for _ in range(20):
            await author.write(*"abcdefghij")

    await asyncio.gather(write_on(), read_on(), read_on(), read_on())
    for page in pages:
        assert len(page) % 10 == 0
        assert page == author.written[: len(page)]


async def test_after_close_every_call_is_refused(store: EventStore, author: Author) -> None:
    await author.write("a")
    await store.close()
    await store.close()
    store.abandon()
    with pytest.raises(StorageFailed):
        await store.append(author.batch(["a"]))
    with pytest.raises(StorageFailed):
        await store.read_log(0, 1, 1, PAGE)
