"""Whatever is appended reads back the same from every store."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.contract.samples import PAGE, Author

from gesta.store import Batch, CommandRecord, EventRecord, EventStore, MemoryStore, SqliteStore

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
INT64 = st.integers(-(2**63), 2**63 - 1)
IDS = st.binary(min_size=16, max_size=16)
PAYLOADS = TEXTS.map(str.encode)

EVENTS = st.fixed_dictionaries(
    {
        "event_id": IDS,
        "event_type": TEXTS,
        "schema_version": st.integers(1, 2**31),
        "data": PAYLOADS,
        "command_id": IDS,
        "more_in_command": st.booleans(),
        "occurred_at_us": st.none() | INT64,
        "correlation_id": st.none() | TEXTS,
        "causation_id": st.none() | TEXTS,
        "principal": TEXTS,
        "traceparent": st.none() | TEXTS,
        "metadata": st.none() | PAYLOADS,
    }
)
COMMANDS = st.builds(
    CommandRecord,
    command_id=IDS,
    fingerprint=IDS,
    version=st.integers(0, 2**63 - 1),
    position=st.integers(0, 2**63 - 1),
    event_count=st.integers(0, 5),
    commit_time_us=st.integers(0, 2**60),
    reply=PAYLOADS,
)
STREAM_KEYS = st.tuples(st.sampled_from(["A", "B"]), st.sampled_from(["", "x", "é", "x\0y"]))
BATCHES = st.lists(
    st.tuples(
        st.lists(st.tuples(STREAM_KEYS, EVENTS), max_size=6),
        st.lists(COMMANDS, max_size=3),
    ),
    max_size=5,
)
Planned = list[tuple[list[tuple[tuple[str, str], dict[str, object]]], list[CommandRecord]]]


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(BATCHES)
async def test_every_sequence_of_batches_reads_back_the_same_from_both_stores(
    planned: Planned,
) -> None:
    with TemporaryDirectory() as directory:
        memory, sqlite = MemoryStore(), SqliteStore(Path(directory))
        for store in (memory, sqlite):
            await store.open()
            await _write(store, planned)
        assert await _answers(memory) == await _answers(sqlite)
        await sqlite.close()
        again = SqliteStore(Path(directory))
        await again.open()
        assert await _answers(memory) == await _answers(again)
        await again.close()


async def _write(store: EventStore, planned: Planned) -> None:
    author = Author(store)
    stored: set[bytes] = set()
    for time, (events, commands) in enumerate(planned):
        fresh = {each.command_id: each for each in commands if each.command_id not in stored}
        stored |= set(fresh)
        batch = Batch(time, commands=list(fresh.values()))
        versions = dict(author.versions)
        for (aggregate_type, aggregate_id), fields in events:
            stream = author.stream(aggregate_id, aggregate_type)
            key = (aggregate_type, aggregate_id)
            versions[key] = versions.get(key, 0) + 1
            batch.events.append(
                EventRecord(
                    position=author.head + len(batch.events) + 1,
                    aggregate_type=aggregate_type,
                    aggregate_id=aggregate_id,
                    version=versions[key],
                    commit_time_us=time,
                    **fields,  # type: ignore[arg-type]
                )
            )
            batch.streams.append(stream)
        await author.append(batch)


async def _answers(store: EventStore) -> list[object]:
    ids = await store.command_ids_between(b"", b"\xff" * 17, 100)
    answers: list[object] = [
        await store.read_log(0, 1_000, 1_000, PAGE),
        await store.read_log_backwards(1_000, 1_000, PAGE),
        await store.read_log(3, 9, 4, 20),
        [await store.position_at(time) for time in range(-1, 6)],
        ids,
        [await store.find_command(each) for each in ids],
    ]
    for aggregate_type in ("A", "B", "C"):
        for head in await store.list_streams(aggregate_type, "", "", 100):
            answers += [
                (head.stream.aggregate_type, head.stream.aggregate_id, head.version),
                await store.read_stream(head.stream, 0, 100, PAGE),
                await store.read_stream_backwards(head.stream, 100, 2, 30),
            ]
    return answers
