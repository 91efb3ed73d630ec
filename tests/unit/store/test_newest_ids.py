"""Ids read column by column are those that are read row by row, or are left to be read so."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.contract.samples import a_command, id_v7
from tests.unit.store.logs import behind_the_back

from gesta.store import Batch, SqliteStore, newest_ids

IDS = [id_v7(1_000 * n, n) for n in range(10)]
EVERYTHING = (b"", b"\xff" * 17)


@pytest.fixture(autouse=True)
def few_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest_ids, "TOGETHER", 2)
    monkeypatch.setattr(newest_ids, "_IN_A_JOB", 2)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    store = SqliteStore(tmp_path)
    await store.open()
    yield store
    await store.close()


async def remember(store: SqliteStore, **fields: Any) -> None:
    """An answer under each of the ids; the fields are those of the fifth."""
    answers = [a_command(each, count=n % 2) for n, each in enumerate(IDS)]
    answers[4] = answers[4]._replace(**fields)
    await store.append(Batch(1_000_000, commands=answers))


async def by_columns(store: SqliteStore, low: bytes, high: bytes, limit: int) -> list[bytes] | None:
    return await newest_ids.newest_ids(store._read, low, high, limit)


@pytest.mark.parametrize("limit", [0, 1, 2, 3, 4, 6, 9, 10, 11, 99])
async def test_the_newest_are_given_however_many_reads_that_takes(
    store: SqliteStore, limit: int
) -> None:
    await remember(store)
    assert await by_columns(store, *EVERYTHING, limit) == IDS[::-1][:limit]
    assert await by_columns(store, IDS[2], IDS[8], limit) == IDS[2:8][::-1][:limit]


async def test_of_none_there_are_none(store: SqliteStore) -> None:
    assert await by_columns(store, *EVERYTHING, 9) == []
    await remember(store)
    assert await by_columns(store, IDS[3], IDS[3], 9) == []


@pytest.mark.parametrize(
    "reply", [b"", b'{"a":"\x1e"}', b"\x1e", b'"' + b"x" * (5 << 20) + b'"'], ids=len
)
async def test_any_reply_may_stand_beside_an_id(store: SqliteStore, reply: bytes) -> None:
    await remember(store, reply=reply)
    assert (await by_columns(store, *EVERYTHING, 99) is None) == bool(reply)
    assert await store.command_ids_between(*EVERYTHING, 99) == IDS[::-1]


@pytest.mark.parametrize(
    "change",
    [
        "version = 77",
        "reply = 'no'",
        "fingerprint = x'00'",
        "fingerprint = zeroblob(17)",
        "command_id = x'FFFF'",
        "checksum = checksum + 1",
    ],
)
async def test_a_damaged_answer_is_left_to_be_read_by_rows(tmp_path: Path, change: str) -> None:
    store = SqliteStore(tmp_path)
    await store.open()
    await remember(store)
    await store.close()
    with behind_the_back(tmp_path) as connection:
        connection.execute(f"UPDATE commands SET {change} WHERE command_id = ?", (IDS[4],))
    store = SqliteStore(tmp_path)
    await store.open()
    found = await by_columns(store, *EVERYTHING, 99)
    beside = await by_columns(store, IDS[5], IDS[8], 99)
    await store.close()
    assert found is None
    assert beside == IDS[5:8][::-1]


async def test_where_ids_were_forgotten_meanwhile_nobody_is_told_that_there_are_no_others(
    store: SqliteStore,
) -> None:
    await remember(store)
    assert await by_columns(store, *EVERYTHING, len(IDS)) == IDS[::-1]
    forgotten: list[int] = []

    async def read(*arguments: Any) -> Any:
        found = await store._read(*arguments)
        if not forgotten:
            forgotten.append(await store.prune_commands(2_000_000, 1))
        return found

    assert await newest_ids.newest_ids(read, *EVERYTHING, len(IDS)) is None
    assert forgotten == [1]
