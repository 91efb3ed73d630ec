"""How long it takes to load one aggregate of many events, with its snapshot and without.

    python -m benchmarks.loading [--events N] [--rounds N]

The engine in this process, over SQLite; every load finds nothing in memory. Prints medians in
milliseconds and their ratio, from the same run.
"""

import argparse
import asyncio
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from rich.console import Console

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


async def measure(data: Path, events: int, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of each load: with the snapshot, and without."""
    async with _running(data) as server, connect(server.address) as client:
        for _ in range(events // _BURST):
            await client.aggregate(Counter, "c").execute(Counter.burst(_BURST))
    kept = [await _load(data, events) for _ in range(rounds)]
    without = []
    for _ in range(rounds):
        _drop_snapshots(data)
        without.append(await _load(data, events))
    return kept, without


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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept, without = asyncio.run(measure(Path(folder), options.events, options.rounds))
    one, other = statistics.median(kept), statistics.median(without)
    Console().print(
        f"{options.events:,} events: {one:.2f} ms with a snapshot, {other:,.1f} ms without: "
        f"{other / one:,.0f} x"
    )


if __name__ == "__main__":
    main()
