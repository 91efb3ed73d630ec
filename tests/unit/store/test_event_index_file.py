"""Whatever happens to the file of the index, it costs time and never an answer."""

import logging
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.samples import Author
from tests.unit.store.logs import behind_the_back

from gesta.store import CorruptLog, SqliteEventIndex, SqliteStore, index_up_to
from gesta.store.event_index import Found, correlation_key
from gesta.store.event_index_file import row_checksum
from gesta.store.event_index_sqlite import FILE
from gesta.store.port import Incarnation, LogInfo

TYPES = ["A", "B", "C"]
EVENTS = 600


async def _write(store: SqliteStore, author: Author, count: int) -> None:
    batch = author.batch(["a"] * count)
    for at, event in enumerate(batch.events):
        batch.events[at] = event._replace(event_type=TYPES[event.position % 3])
    await author.append(batch)


class Filled:
    """A log, and an index of it that was closed."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.file = directory / FILE
        self.store = SqliteStore(directory)

    async def begin(self) -> "Filled":
        self.log = await self.store.open()
        self.author = Author(self.store)
        await _write(self.store, self.author, EVENTS)
        index = await self.open()
        assert await index_up_to(index, self.store, EVENTS) == EVENTS
        await index.close()
        return self

    async def open(self, log: LogInfo | None = None) -> SqliteEventIndex:
        index = SqliteEventIndex(self.directory)
        await index.open(log or self.log, self.store)
        return index

    def truth(self, types: list[str], found: Found) -> list[int]:
        return [
            each.position
            for each in self.author.written
            if each.event_type in types and found.after < each.position <= found.until
        ]

    async def is_usable(self, index: SqliteEventIndex) -> bool:
        """Whether it can be filled, and then gives right answers."""
        head = len(self.author.written)
        assert await index_up_to(index, self.store, head) == head
        found = await index.positions_of_type(["A"], 0, head, 9_999)
        return found == Found(self.truth(["A"], found), 0, head)


@pytest.fixture
async def filled(tmp_path: Path) -> AsyncIterator[Filled]:
    made = await Filled(tmp_path).begin()
    yield made
    await made.store.close()


async def test_a_file_in_order_is_used_again(filled: Filled) -> None:
    index = await filled.open()
    assert index.indexed_up_to == EVENTS
    assert await filled.is_usable(index)
    await index.close()


@pytest.mark.parametrize("which", ["another log", "a restored log"])
async def test_the_index_of_another_log_or_from_before_a_restore_is_dropped(
    filled: Filled, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    info = filled.log
    other = (
        LogInfo(b"x" * 16, info.incarnations, 1, EVENTS, 0)
        if which == "another log"
        else LogInfo(info.log_id, (*info.incarnations, Incarnation(2, 5)), 1, EVENTS, 0)
    )
    index = await filled.open(other)
    assert index.indexed_up_to == 0
    assert "it is of another log, or from before a restore" in caplog.text
    assert f"{FILE} is begun anew" in caplog.text
    assert await filled.is_usable(index)
    await index.close()


@pytest.mark.parametrize("went_on", [True, False], ids=["further", "otherwise"])
async def test_the_index_of_a_log_that_went_on_otherwise_is_dropped(
    filled: Filled, went_on: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """As after an old copy of the log was put back: its id and incarnation are the same."""
    events = list(filled.author.written)
    last = events[-1]
    if went_on:
        events.append(last._replace(position=last.position + 1))
    else:
        events[-1] = last._replace(event_id=b"another" + last.event_id[7:])
    index = await filled.open()
    await index.begin_anew()
    await index.add(events)
    await index.close()
    index = await filled.open()
    assert index.indexed_up_to == 0
    assert "it does not belong to this log" in caplog.text
    assert await filled.is_usable(index)
    await index.close()


async def test_a_log_whose_event_cannot_be_read_is_indexed_anew(filled: Filled) -> None:
    await filled.store.close()
    with behind_the_back(filled.directory) as connection:
        connection.execute("UPDATE events SET data = '{}' WHERE position = ?", (EVENTS - 1,))
    await filled.store.open()
    filled.file.unlink()
    index = await filled.open()
    await index.add(filled.author.written[: EVENTS - 1])
    await index.close()
    index = await filled.open()
    assert index.indexed_up_to == 0
    with pytest.raises(CorruptLog):
        await index_up_to(index, filled.store, EVENTS)
    await index.close()


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + bytes(5_000)])
async def test_a_file_that_is_something_else_is_begun_anew(filled: Filled, content: bytes) -> None:
    filled.file.write_bytes(content)
    index = await filled.open()
    assert index.indexed_up_to == 0
    assert await filled.is_usable(index)
    await index.close()


@pytest.mark.parametrize("kept", [50, 5_000, 20_000])
async def test_a_truncated_file_is_begun_anew(filled: Filled, kept: int) -> None:
    filled.file.write_bytes(filled.file.read_bytes()[:kept])
    index = await filled.open()
    assert index.indexed_up_to == 0
    assert await filled.is_usable(index)
    await index.close()


@pytest.mark.parametrize(
    "change",
    [
        "PRAGMA user_version = 2",
        "PRAGMA application_id = 7",
        "DROP TABLE of_type",
        "DELETE FROM progress",
        "UPDATE progress SET indexed_up_to = indexed_up_to + 1",
        "UPDATE progress SET event_checksum = event_checksum + 1",
        "UPDATE types SET events = events + 1 WHERE id = 1",
        "UPDATE types SET event_type = 'Z' WHERE id = 1",
        "DELETE FROM types WHERE id = 1",
    ],
)
async def test_a_file_that_is_not_in_order_is_begun_anew(filled: Filled, change: str) -> None:
    with closing(sqlite3.connect(filled.file, isolation_level=None)) as connection:
        connection.execute(change)
    index = await filled.open()
    assert index.indexed_up_to == 0
    assert await filled.is_usable(index)
    await index.close()


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("position", [3, 30, 300, 600])
async def test_a_row_that_is_gone_is_noticed_by_every_answer_it_belongs_to(
    filled: Filled, position: int, backwards: bool
) -> None:
    with closing(sqlite3.connect(filled.file, isolation_level=None)) as connection:
        connection.execute("DELETE FROM of_type WHERE position = ?", (position,))
    stretches = [(0, 999), (position - 1, position), (position - 1, 999), (0, position)]
    for after, until in stretches:
        index = await filled.open()
        if index.indexed_up_to == 0:
            pytest.fail("it shows only when it is read")
        found = await index.positions_of_type(["A"], after, until, 9_999, backwards=backwards)
        assert found == Found([], after, after)
        assert index.indexed_up_to == 0
        await index.close()
        with closing(sqlite3.connect(filled.file, isolation_level=None)) as connection:
            assert connection.execute("SELECT count(*) FROM of_type").fetchone() == (0,)
        await _fill_without(filled, position)


async def _fill_without(filled: Filled, position: int) -> None:
    index = await filled.open()
    await index_up_to(index, filled.store, EVENTS)
    await index.close()
    with closing(sqlite3.connect(filled.file, isolation_level=None)) as connection:
        connection.execute("DELETE FROM of_type WHERE position = ?", (position,))


@pytest.mark.slow
async def test_no_flipped_bit_makes_a_type_lack_an_event(filled: Filled) -> None:
    chance = random.Random(7)
    whole = filled.file.read_bytes()
    answered = dropped = 0
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        filled.file.write_bytes(damaged)
        index = await filled.open()
        for each in TYPES:
            found = await index.positions_of_type([each], 0, EVENTS, 9_999)
            assert found.positions == filled.truth([each], found)
            await index.positions_of_correlation("x", 0, 9)
        answered += index.indexed_up_to == EVENTS
        dropped += index.indexed_up_to == 0
        await index.close()
    assert min(answered, dropped) > 10


@pytest.mark.slow
async def test_a_row_that_is_not_what_it_was_is_noticed_by_every_answer_it_belongs_to(
    filled: Filled,
) -> None:
    """The row of the first type (9), position 301 (0x012d), which has number 101 (0x65)."""
    row = bytes.fromhex("05 09 02 01 02 01 2d 65") + row_checksum(1, 301, 101).to_bytes(2, "big")
    whole = filled.file.read_bytes()
    assert whole.count(row) == 1
    pages = [(100, EVENTS), (300, EVENTS), (100, 301), (100, 302), (300, 301)]
    for bit in range(len(row) * 8):
        damaged = bytearray(row)
        damaged[bit // 8] ^= 1 << bit % 8
        filled.file.write_bytes(whole.replace(row, damaged))
        for after, until in pages if bit % 8 == 4 else pages[:1]:
            index = await filled.open()
            found = await index.positions_of_type(["B"], after, until, 999)
            assert found == Found([], after, after)
            assert index.indexed_up_to == 0
            await index.close()
            filled.file.write_bytes(whole.replace(row, damaged))


@pytest.mark.parametrize("damaged", ["03 2c 02 {} 00 2d", "03 2c 00 {} 01 2d"])
async def test_a_position_that_cannot_be_part_of_a_correlation_is_noticed(
    filled: Filled, damaged: str
) -> None:
    index = await filled.open()
    await index.begin_anew()
    await index.add([each._replace(correlation_id="c") for each in filled.author.written])
    await index.close()
    key = correlation_key("c").hex()
    row = bytes.fromhex(f"03 2c 02 {key} 01 2d")  # position 301
    whole = filled.file.read_bytes()
    assert whole.count(row) == 1
    filled.file.write_bytes(whole.replace(row, bytes.fromhex(damaged.format(key))))
    index = await filled.open()
    assert await index.positions_of_correlation("c", 100, 999) == Found([], 100, 100)
    assert index.indexed_up_to == 0
    await index.close()


async def test_a_file_that_breaks_while_it_is_open_is_begun_anew_and_nothing_is_raised(
    filled: Filled, caplog: pytest.LogCaptureFixture
) -> None:
    index = await filled.open()
    filled.file.write_bytes(b"x" * filled.file.stat().st_size)
    for suffix in ("-wal", "-shm"):
        assert Path(f"{filled.file}{suffix}").exists()
    assert await index.positions_of_type(["A"], 2, 9, 9) == Found([], 2, 2)
    assert await index.positions_of_correlation("c", 2, 9) == Found([], 2, 2)
    assert index.indexed_up_to == 0
    assert await filled.is_usable(index)
    assert [each for each in caplog.records if each.levelno > logging.WARNING] == []
    await index.close()


async def test_where_there_is_no_room_nothing_more_is_learnt_and_nothing_is_raised(
    filled: Filled,
) -> None:
    filled.file.unlink()
    index = await filled.open()

    def without_room(connection: sqlite3.Connection, pages: int) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}").fetchall()

    await index._file.run(None, without_room, 10)
    assert await index_up_to(index, filled.store, EVENTS) == 0
    assert await index.positions_of_type(["A"], 0, 9, 9) == Found([], 0, 0)
    await index._file.run(None, without_room, 1 << 30)
    assert await filled.is_usable(index)
    await index.close()


async def test_where_no_file_can_be_made_there_is_no_index(
    filled: Filled, caplog: pytest.LogCaptureFixture
) -> None:
    index = SqliteEventIndex(filled.directory / "missing")
    await index.open(filled.log, filled.store)
    assert "cannot be made" in caplog.text
    assert await index_up_to(index, filled.store, EVENTS) == 0
    assert await index.positions_of_type(["A"], 0, 9, 9) == Found([], 0, 0)
    assert await index.positions_of_correlation("c", 0, 9) == Found([], 0, 0)
    await index.begin_anew()
    await index.close()
    await index.close()


async def test_after_it_was_closed_or_abandoned_it_knows_nothing(filled: Filled) -> None:
    for end in ("close", "abandon"):
        index = await filled.open()
        if end == "close":
            await index.close()
        else:
            index.abandon()
            index.abandon()
        assert index.indexed_up_to == 0
        assert await index.positions_of_type(["A"], 0, 9, 9) == Found([], 0, 0)
        await index.begin_anew()
        assert await index.add(filled.author.written) == 0
    index = await filled.open()
    assert await filled.is_usable(index)
    await index.close()
