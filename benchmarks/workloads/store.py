"""The store alone: commits of so many events, each with its command or without."""

import asyncio
import logging
import time
from pathlib import Path

from benchmarks.workloads.batches import Batches
from gesta.store import SqliteStore


def measure(data: str, size: int, seconds: float, commands: bool = True) -> dict[str, float]:
    """Events per second. Without `commands` no id and no reply is stored, to see what they cost;
    no server does that."""
    logging.disable(logging.WARNING)  # of SQLite's version; this is not the place
    return asyncio.run(_measure(Path(data), size, seconds, commands))


async def _measure(data: Path, size: int, seconds: float, commands: bool) -> dict[str, float]:
    store, batches = SqliteStore(data), Batches()
    await store.open()
    events, wall_s, cpu_s = 0, 0.0, 0.0
    while wall_s < seconds:
        batch = batches.next(size)
        if not commands:
            batch.commands.clear()
        wall, cpu = time.perf_counter(), time.process_time()
        await store.append(batch)
        wall_s += time.perf_counter() - wall
        cpu_s += time.process_time() - cpu
        events += size
    await store.close()
    return {"per_second": events / wall_s, "cpu_us": 1e6 * cpu_s / events}
