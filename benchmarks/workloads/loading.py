"""How long it takes to load one aggregate of many events, with its snapshot and without.

The server in this process, over SQLite; every load finds nothing in memory.
"""

import statistics
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from gesta.client import connect
from gesta.domain import Decision, aggregate, command, event
from gesta.domain.catalog import Catalog
from gesta.server.config import Config
from gesta.server.process import Server

_BURST = 1_000


@event("Counted")
class Counted:
    amount: int


@aggregate("Counter")
class Counter:
    total: int = 0

    def evolve(self, event: Counted) -> "Counter":
        return replace(self, total=self.total + event.amount)

    @command
    def burst(self, events: int) -> Decision[Counted, "Counter", int]:
        for _ in range(events):
            yield Counted(1)
        return events


async def measure(data: str, events: int, rounds: int) -> dict[str, Any]:
    """Median milliseconds of a load with the snapshot, and of one without."""
    folder = Path(data)
    async with _running(folder) as server, connect(server.address) as client:
        for _ in range(events // _BURST):
            await client.aggregate(Counter, "c").execute(Counter.burst(_BURST))
    kept = [await _load(folder, events) for _ in range(rounds)]
    without = []
    for _ in range(rounds):
        _drop_snapshots(folder)
        without.append(await _load(folder, events))
    return {"ms": statistics.median(kept), "without_ms": statistics.median(without)}


async def _load(data: Path, events: int) -> float:
    async with _running(data) as server, connect(server.address) as client:
        await client.info()  # the connection is not what is measured
        begun = time.perf_counter()
        found = await client.aggregate(Counter, "c").state()
        taken = time.perf_counter() - begun
        assert (found.version, found.state.total) == (events, events)
        return 1_000 * taken


def _drop_snapshots(data: Path) -> None:
    for file in data.glob("snapshots.sqlite3*"):
        file.unlink()


def _running(data: Path) -> Server:
    config = Config(data=str(data), listen="127.0.0.1:0")
    return Server(config, catalog=Catalog.of(Counter))
