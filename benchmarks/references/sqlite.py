"""What SQLite takes for the same rows in the same tables, without gesta's checks and checksums."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.workloads.batches import Batches
from gesta.store import Batch
from gesta.store.schema import TABLES

_EVENT = "INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)"
_COMMAND = "INSERT INTO commands VALUES (?,?,?,?,?,?,?,?)"
_REST = (None, None, None, 2, None, None, 0)
PAGE_EVENTS = 500


def measure(data: str, size: int, seconds: float) -> dict[str, float]:
    """Events per second in commits of so many, by executemany, each synced."""
    events, wall_s, cpu_s, batches = 0, 0.0, 0.0, Batches()
    with closing(sqlite3.connect(Path(data) / "bare.sqlite3", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA cache_size = -65536")
        for table in TABLES:
            connection.execute(table)
        while wall_s < seconds:
            event_rows, command_rows = _rows(batches.next(size))
            wall, cpu = time.perf_counter(), time.process_time()
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(_EVENT, event_rows)
            connection.executemany(_COMMAND, command_rows)
            connection.execute("COMMIT")
            wall_s += time.perf_counter() - wall
            cpu_s += time.process_time() - cpu
            events += size
    return {"per_second": events / wall_s, "cpu_us": 1e6 * cpu_s / events}


def _rows(batch: Batch) -> tuple[list[Any], list[Any]]:
    events = [
        (e[0], int(e[2][8:]) + 1, e[3], e[4], 1, 1, e[7].decode(), e[8], 0, e[10], *_REST)
        for e in batch.events
    ]
    return events, [(*command[:-1], command[-1].decode(), 0) for command in batch.commands]


def scan(log: Path, head: int) -> float:
    """Events per second of plain SELECTs, page by page, fetched as tuples and thrown away."""
    with closing(sqlite3.connect(f"{log.as_uri()}?mode=ro", uri=True)) as connection:
        connection.text_factory = bytes
        connection.execute("PRAGMA cache_size = -16384")
        begun = time.perf_counter()
        for after in range(0, head, PAGE_EVENTS):
            connection.execute(
                "SELECT * FROM events WHERE position > ? ORDER BY position LIMIT ?",
                (after, PAGE_EVENTS),
            ).fetchall()
        return head / (time.perf_counter() - begun)
