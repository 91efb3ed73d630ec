"""How long it takes to find the events of a rare type in the log: by its index, and by a scan.

The engine's pages over SQLite, in this process.
"""

import os
import statistics
import time
from pathlib import Path
from typing import Any

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


async def measure(data: str, events: int, one_in: int, rounds: int) -> dict[str, Any]:
    """Median milliseconds of a search by the index, and of a scan; events indexed a second."""
    folder = Path(data)
    store, index, empty = SqliteStore(folder), SqliteEventIndex(folder), MemoryEventIndex()
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
    return {
        "ms": statistics.median(found),
        "scan_ms": statistics.median(scanned),
        "indexed_per_second": rate,
    }


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
    fields = (
        *(position, stream.aggregate_type, stream.aggregate_id, version, os.urandom(16)),
        *(kind, 1, b'{"amount":500}', os.urandom(16), False, time_us),
        *(None, None, None, "anonymous", None, None),
    )
    return EventRecord._make(fields)


async def _search(store: SqliteStore, index: EventIndex, head: int, wanted: int) -> float:
    pages = IndexedPages(store, index, Limits())
    begun = time.perf_counter()
    found = bound = 0
    while page := await pages.after(_RARE, bound, head):
        found += sum(record.event_type == "Rare" for record in page)
        bound = page[-1].position
    assert found == wanted
    return 1_000 * (time.perf_counter() - begun)
