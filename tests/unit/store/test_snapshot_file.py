"""Whatever happens to the file of snapshots, it costs time and never an answer."""

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.test_snapshots import CODE, LOG, snapshot

from gesta.store import SqliteSnapshots
from gesta.store.port import Incarnation
from gesta.store.snapshots_sqlite import FILE

KEPT = [snapshot(10), snapshot(20, state=b'{"balance":1}')]


async def filled(folder: Path) -> Path:
    kept = SqliteSnapshots(folder)
    await kept.open(LOG)
    await kept.save(KEPT)
    await kept.close()
    return folder / FILE


async def found(folder: Path, log: object = LOG) -> list[int]:
    """The versions that are still found, after which one more is saved and found."""
    kept = SqliteSnapshots(folder)
    await kept.open(log)  # type: ignore[arg-type]
    versions = []
    at_most = 100
    while (one := await kept.find("T", "a", CODE, at_most)) is not None:
        versions.append(one.version)
        at_most = one.version - 1
    await kept.save([snapshot(50)])
    assert await kept.find("T", "a", CODE, 50) == snapshot(50)
    await kept.close()
    return versions


async def test_a_file_in_order_is_used_again(tmp_path: Path) -> None:
    await filled(tmp_path)
    assert await found(tmp_path) == [20, 10]


@pytest.mark.parametrize(
    "log",
    [
        LOG.__class__(b"m" * 16, LOG.incarnations, 1, 100, 0),
        LOG.__class__(LOG.log_id, (Incarnation(1, 0), Incarnation(2, 50)), 1, 100, 0),
    ],
    ids=["another log", "a restored log"],
)
async def test_what_was_taken_of_another_log_or_before_a_restore_is_dropped(
    tmp_path: Path, log: object
) -> None:
    await filled(tmp_path)
    assert await found(tmp_path, log) == []


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(5_000)])
async def test_a_file_that_is_something_else_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    (await filled(tmp_path)).write_bytes(content)
    assert await found(tmp_path) == []


async def test_a_truncated_file_is_begun_anew(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    file.write_bytes(file.read_bytes()[:5_000])
    assert await found(tmp_path) == []


async def test_a_file_of_a_newer_format_is_begun_anew(tmp_path: Path) -> None:
    with closing(sqlite3.connect(await filled(tmp_path))) as connection:
        connection.execute("PRAGMA user_version = 2")
    assert await found(tmp_path) == []


@pytest.mark.parametrize(
    "change",
    [
        "state = x'7b7d'",
        "version = 19",
        "position = position + 1",
        "event_checksum = 8",
        "aggregate_id = 'a' WHERE aggregate_id = 'b'",
    ],
)
async def test_a_snapshot_that_is_not_what_was_written_is_passed_over(
    tmp_path: Path, change: str
) -> None:
    file = await filled(tmp_path)
    if "WHERE" in change:
        kept = SqliteSnapshots(tmp_path)
        await kept.open(LOG)
        await kept.save([snapshot(20, "b")])
        await kept.clear("U")
        await kept.close()
        change = change.replace("WHERE", ", version = 21 WHERE")
    with closing(sqlite3.connect(file)) as connection:
        where = "" if "WHERE" in change else "WHERE version = 20"
        assert connection.execute(f"UPDATE snapshots SET {change} {where}").rowcount == 1
        connection.commit()
    assert [version for version in await found(tmp_path) if version != 20] == [10]


async def test_a_damaged_snapshot_is_dropped_when_it_is_met(tmp_path: Path) -> None:
    with closing(sqlite3.connect(await filled(tmp_path))) as connection:
        connection.execute("UPDATE snapshots SET state = x'7b7d' WHERE version = 20")
        connection.commit()
    kept = SqliteSnapshots(tmp_path)
    await kept.open(LOG)
    assert await kept.find("T", "a", CODE, 100) == KEPT[0]
    assert (await kept.count())["T"].snapshots == 1
    await kept.close()


async def test_no_flipped_bit_makes_a_snapshot_another_or_raises(tmp_path: Path) -> None:
    file = await filled(tmp_path)
    whole = file.read_bytes()
    chance = random.Random(7)
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        file.write_bytes(damaged)
        kept = SqliteSnapshots(tmp_path)
        await kept.open(LOG)
        assert await kept.find("T", "a", CODE, 100) in (None, *KEPT)
        await kept.count()
        await kept.save([snapshot(60)])
        assert await kept.find("T", "a", CODE, 100) in (None, snapshot(60), *KEPT)
        await kept.close()


async def test_a_version_that_cannot_be_has_the_file_begun_anew(tmp_path: Path) -> None:
    """Its row begins with nine bytes of types: text, text, integer, ..."""
    file = await filled(tmp_path)
    whole = bytearray(file.read_bytes())
    types = whole.index(b"Ta\x14\x28\x07") - 9  # version 20, position 40
    assert whole[types : types + 4] == b"\x09\x0f\x0f\x01"
    whole[types + 3] = 0x0F  # a text, too
    file.write_bytes(whole)
    kept = SqliteSnapshots(tmp_path)
    await kept.open(LOG)
    await kept.save([snapshot(5)])
    await kept.save([snapshot(6)])
    assert await kept.find("T", "a", CODE, 100) == snapshot(6)
    await kept.close()


async def test_a_file_that_breaks_while_it_is_open_is_begun_anew_and_nothing_is_raised(
    tmp_path: Path,
) -> None:
    file = await filled(tmp_path)
    kept = SqliteSnapshots(tmp_path)
    await kept.open(LOG)
    file.write_bytes(b"x" * len(file.read_bytes()))
    assert await kept.find("T", "other", CODE, 100) is None
    await kept.save([snapshot(60)])
    assert await kept.find("T", "a", CODE, 100) in (None, *KEPT, snapshot(60))
    await kept.save([snapshot(70)])
    assert await kept.find("T", "a", CODE, 70) == snapshot(70)
    await kept.close()
    assert await found(tmp_path) in ([70], [70, 60])


async def test_where_there_is_no_room_nothing_more_is_kept_and_nothing_is_raised(
    tmp_path: Path,
) -> None:
    kept = SqliteSnapshots(tmp_path, pages_max=8)
    await kept.open(LOG)
    await kept.save([snapshot(1)])
    await kept.save([snapshot(2, state=b"x" * 1_000_000)])
    await kept.save([snapshot(3)])
    assert await kept.find("T", "a", CODE, 2) == snapshot(1)
    assert await kept.find("T", "a", CODE, 3) == snapshot(3)
    await kept.close()


async def test_where_no_file_can_be_made_there_are_no_snapshots(tmp_path: Path) -> None:
    kept = SqliteSnapshots(tmp_path / "missing")
    await kept.open(LOG)
    await kept.save([snapshot(1)])
    assert await kept.find("T", "a", CODE, 1) is None
    assert await kept.count() == {}
    assert await kept.clear() == 0
    await kept.close()
