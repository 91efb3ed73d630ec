"""How long it takes to find the events of a rare type in the log: by its index, and by a scan.

    python -m benchmarks.seeking [--events N] [--one-in N] [--rounds N]

The engine's pages over SQLite, in this process. Prints medians in milliseconds and their ratio,
from the same run, and how fast the index was filled.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console

from gesta.engine.indexing import IndexedPages
from gesta.engine.limits import Limits
from gesta.engine.sought import Sought
from gesta.store import SqliteStore
from gesta.store.event_index import EventIndex, index_up_to
from gesta.store.event_index_memory import MemoryEventIndex
from gesta.store.event_index_sqlite import SqliteEventIndex
from gesta.store.port import Batch, EventRecord, Stream

_BATCH = 1_000
_RARE = Sought(frozenset({"Rare"}), "")


async def measure(
    data: Path, events: int, one_in: int, rounds: int
) -> tuple[float, list[float], list[float]]:
    """Events indexed a second; milliseconds of each search by the index, and of each scan."""
    store, index, empty = SqliteStore(data), SqliteEventIndex(data), MemoryEventIndex()
    log = await store.open()
    await index.open(log, store)
    await _write(store, events, one_in)
    begun = time.perf_counter()
    assert await index_up_to(index, store, events) == events
    rate = events / (time.perf_counter() - begun)
    wanted = len(range(0, events, one_in))
    found = [await _search(store, index, events, wanted) for _ in range(rounds)]
    scanned = [await _search(store, empty, events, wanted) for _ in range(rounds)]
    await index.close()
    await store.close()
    return rate, found, scanned


async def _write(store: SqliteStore, events: int, one_in: int) -> None:
    streams = [Stream("Log", f"l-{number}") for number in range(64)]
    versions = [0] * len(streams)
    for first in range(0, events, _BATCH):
        batch = Batch(first)
        for number in range(first, min(first + _BATCH, events)):
            at = number % len(streams)
            versions[at] += 1
            kind = "Usual" if number % one_in else "Rare"
            batch.events.append(_record(number + 1, streams[at], versions[at], kind, first))
            batch.streams.append(streams[at])
        await store.append(batch)


def _record(position: int, stream: Stream, version: int, kind: str, time_us: int) -> EventRecord:
    return EventRecord(
        position,
        stream.aggregate_type,
        stream.aggregate_id,
        version,
        os.urandom(16),
        kind,
        1,
        b'{"amount":500}',
        os.urandom(16),
        False,
        time_us,
        None,
        None,
        None,
        "anonymous",
        None,
        None,
    )


async def _search(store: SqliteStore, index: EventIndex, head: int, wanted: int) -> float:
    pages = IndexedPages(store, index, Limits())
    begun = time.perf_counter()
    found = bound = 0
    while page := await pages.after(_RARE, bound, head):
        found += sum(record.event_type == "Rare" for record in page)
        bound = page[-1].position
    assert found == wanted
    return 1_000 * (time.perf_counter() - begun)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeking", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--one-in", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rate, found, scanned = asyncio.run(
            measure(Path(folder), options.events, options.one_in, options.rounds)
        )
    one, other = statistics.median(found), statistics.median(scanned)
    Console().print(
        f"{options.events:,} events, one in {options.one_in:,}: {one:.1f} ms by the index, "
        f"{other:,.1f} ms by a scan: {other / one:,.0f} x; indexed at {rate:,.0f} events/s"
    )


if __name__ == "__main__":
    main()
