"""UmaDB: a large log, built once and kept, and read from its beginning."""

import time
from pathlib import Path
from typing import Any

from benchmarks.peers.umadb import DATA, EVENT_TYPE

APPEND_EVENTS = 1_000
AGGREGATES = 50_000


def measure(address: str, events: int) -> dict[str, Any]:
    """Events per second as objects, each looked at; builds the log first if it is empty."""
    import umadb

    client = umadb.Client(f"http://{address}")
    for first in range(client.head() or 0, events, APPEND_EVENTS):
        client.append(
            [
                umadb.Event(EVENT_TYPE, DATA, tags=[f"account-{n % AGGREGATES}"])
                for n in range(first, min(first + APPEND_EVENTS, events))
            ]
        )
    seen = size = 0
    begun = time.perf_counter()
    found = client.read()
    while batch := found.next_batch():
        for each in batch:
            seen += 1
            size += len(each.event.data)
            assert each.position == seen
    taken = time.perf_counter() - begun
    assert (seen, size) == (events, events * len(DATA))
    return {"per_second": events / taken}


def folder(cache: Path, events: int) -> Path:
    """Where the log is kept."""
    found = cache / f"umadb-{events}"
    found.mkdir(parents=True, exist_ok=True)
    return found
