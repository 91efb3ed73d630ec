"""What a store costs: appends by batch size, and pages read, beside bare SQLite in the same run.

    python -m benchmarks.store

Ratios are worth reading, absolute figures vary with the machine and what else runs on it. CPU is
that of the process, all threads; the appends are durable, so their rate is mostly the disk's.
"""

import asyncio
import logging
import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from gesta.store import Batch, CommandRecord, EventRecord, SqliteStore, Stream, reading
from gesta.store.schema import TABLES

BATCH_SIZES = (1, 16, 64, 256, 1024)
SECONDS_PER_SIZE = 2.0
STREAMS = 5_000
PAGE_EVENTS = 500
DATA = b'{"amount":12345,"note":"' + b"x" * 200 + b'"}'

_BARE_EVENT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_BARE_COMMAND = "INSERT INTO commands VALUES (?,?,?,?,?,?,?,?)"
_BARE_REST = (None, None, None, 2, None, None, 0)


class Cost(NamedTuple):
    events: int
    wall_s: float
    cpu_s: float

    def __str__(self) -> str:
        rate, cpu_us = self.events / self.wall_s, self.cpu_s / self.events * 1e6
        return f"{rate:>10,.0f} events/s {cpu_us:>7.1f} us CPU/event"


class Workload:
    """Batches of one event and one command each, over random streams, the same each run."""

    def __init__(self) -> None:
        self._random = Random(1)
        self._streams = [Stream("BankAccount", f"account-{n:06}") for n in range(STREAMS)]
        self._versions = [0] * STREAMS
        self._position = 0

    def batch(self, size: int) -> Batch:
        batch = Batch(1_700_000_000_000_000 + self._position)
        for _ in range(size):
            index = self._random.randrange(STREAMS)
            self._position += 1
            self._versions[index] += 1
            stream, id_ = self._streams[index], _id_v7(self._position)
            batch.streams.append(stream)
            batch.events.append(
                EventRecord(
                    self._position, "BankAccount", stream.aggregate_id, self._versions[index],
                    id_, "MoneyDeposited", 1, DATA, id_, False, batch.commit_time_us,
                    None, None, None, "anonymous", None, None,
                )
            )  # fmt: skip
            batch.commands.append(
                CommandRecord(
                    id_, bytes(16), self._versions[index], self._position, 1,
                    batch.commit_time_us, b'{"balance":12345}',
                )
            )  # fmt: skip
        return batch


async def measure_appends(store: SqliteStore, workload: Workload, size: int) -> Cost:
    events, wall_s, cpu_s = 0, 0.0, 0.0
    while wall_s < SECONDS_PER_SIZE:
        batch = workload.batch(size)
        wall, cpu = time.perf_counter(), time.process_time()
        await store.append(batch)
        wall_s += time.perf_counter() - wall
        cpu_s += time.process_time() - cpu
        events += size
    return Cost(events, wall_s, cpu_s)


def measure_bare_appends(path: Path, workload: Workload, size: int) -> Cost:
    """The same rows by executemany into the same tables without triggers or checksums."""
    events, wall_s, cpu_s = 0, 0.0, 0.0
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        for table in TABLES:
            connection.execute(table)
        while wall_s < SECONDS_PER_SIZE / 2:
            event_rows, command_rows = _bare_rows(workload.batch(size))
            wall, cpu = time.perf_counter(), time.process_time()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_BARE_EVENT, event_rows)
            connection.executemany(_BARE_COMMAND, command_rows)
            connection.execute("COMMIT")
            wall_s += time.perf_counter() - wall
            cpu_s += time.process_time() - cpu
            events += size
    return Cost(events, wall_s, cpu_s)


def _bare_rows(batch: Batch) -> tuple[list[Any], list[Any]]:
    events = [
        (e[0], int(e[2][8:]) + 1, e[3], e[4], 1, 1, e[7].decode(), e[8], 0, e[10], *_BARE_REST)
        for e in batch.events
    ]
    return events, [(*command[:-1], command[-1].decode(), 0) for command in batch.commands]


async def measure_reads(store: SqliteStore, head: int) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    for after in range(0, head, PAGE_EVENTS):
        await store.read_log(after, head, PAGE_EVENTS, 1 << 30)
    return Cost(head, time.perf_counter() - wall, time.process_time() - cpu)


def measure_bare_reads(path: Path, head: int) -> Cost:
    """Plain SELECTs of the same pages, fetched as tuples and thrown away."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        connection.execute("PRAGMA cache_size = -16384")
        wall, cpu = time.perf_counter(), time.process_time()
        for after in range(0, head, PAGE_EVENTS):
            connection.execute(
                "SELECT * FROM events WHERE position > ? ORDER BY position LIMIT ?",
                (after, PAGE_EVENTS),
            ).fetchall()
        return Cost(head, time.perf_counter() - wall, time.process_time() - cpu)


def _unchecked(rows: Any, streams: Any, names: Any) -> list[EventRecord]:
    """`events_of` without the checksum, to see what that costs."""
    return [
        EventRecord._make(
            (r[0], *streams[r[1]], r[2], r[3], names[r[4]], *r[5:8], r[8] == 1, *r[9:13],
             names[r[13]], *r[14:16])
        )
        for r in rows
    ]  # fmt: skip


async def main() -> None:
    logging.disable(logging.WARNING)  # of SQLite's version; this is not the place
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        store, workload = SqliteStore(directory / "data"), Workload()
        await store.open()
        head = 0
        for size in BATCH_SIZES:
            ours = await measure_appends(store, workload, size)
            bare = measure_bare_appends(directory / f"bare-{size}", Workload(), size)
            head += ours.events
            ratio = (ours.cpu_s / ours.events) / (bare.cpu_s / bare.events)
            print(f"append {size:>5}: {ours}   bare {bare}   CPU x {ratio:.2f}")
        _report_reads(
            bare=measure_bare_reads(directory / "data" / "log.sqlite3", head),
            checked=await measure_reads(store, head),
            unchecked=await _read_unchecked(store, head),
        )
        await store.close()


async def _read_unchecked(store: SqliteStore, head: int) -> Cost:
    with patch.object(reading, "events_of", _unchecked):
        return await measure_reads(store, head)


def _report_reads(bare: Cost, checked: Cost, unchecked: Cost) -> None:
    for label, cost in (("bare SELECT", bare), ("records", unchecked), ("with checksum", checked)):
        ratio = (bare.wall_s / bare.events) / (cost.wall_s / cost.events)
        print(f"read {label:>14}: {cost}   {ratio:.2f} of bare")


def _id_v7(serial: int) -> bytes:
    return ((1_700_000_000_000 + serial // 64) << 80 | 7 << 76 | 2 << 62 | serial).to_bytes(
        16, "big"
    )


if __name__ == "__main__":
    asyncio.run(main())
