"""What a log of millions of events, and aggregates by the million, cost."""

import os
import shutil
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.processes import Running, measured
from benchmarks.workloads.large import base_of

ROUNDS = 3
BYTES_EACH = 800
"""Of free disk that each event of a large log is given: the log, its index, and a copy of both."""


async def cold(bench: Bench) -> None:
    """First commands on accounts that nobody asked anything since the server started."""
    await _cold(bench, plan.FIRST_COMMANDS, plan.QUICK_COLD if bench.quick else plan.COLD, {})
    long = plan.QUICK_COLD_LONG if bench.quick else plan.COLD_LONG
    await _cold(bench, plan.FIRST_COMMANDS_WHOLE, long, {})
    await _cold(bench, plan.FIRST_COMMANDS_SNAPPED, long, await _snapshots(bench, long))


async def _cold(
    bench: Bench, name: str, size: tuple[int, int], snapshots: Mapping[str, bytes]
) -> None:
    events, accounts = size
    log = await bench.built(events, accounts)
    with bench.folder() as data:
        copy(log, data)
        for file, content in snapshots.items():
            (data / file).write_bytes(content)
        async with bench.gesta(data=data) as server:
            await bench.load(
                name,
                "workloads.cold",
                address=server.address,
                accounts=accounts,
                callers=256,
                base=base_of(events, accounts),
            )


async def _snapshots(bench: Bench, size: tuple[int, int]) -> dict[str, bytes]:
    """The files of those that are kept as accounts leave memory."""
    events, accounts = size
    log = await bench.built(events, accounts)
    with bench.folder() as data:
        copy(log, data)
        async with bench.gesta("--aggregates-live-max", "500", data=data) as server:
            bench.say("snapshots, kept as accounts leave memory")
            await measured("workloads.waking", address=server.address, accounts=accounts)
        return {file.name: file.read_bytes() for file in data.glob("snapshots.sqlite3*")}


async def large(bench: Bench) -> None:
    """An empty log against a large one: starting, commands, reads; and the size of its file."""
    events, accounts = plan.QUICK_LARGE if bench.quick else plan.LARGE
    if shutil.disk_usage(bench.data).free < events * BYTES_EACH:
        bench.figures.skip("large log", f"it takes {events * BYTES_EACH / 1e9:.0f} GB of disk")
        return
    log = await bench.built(events, accounts)
    size = (log / "log.sqlite3").stat().st_size
    bench.figures.add(plan.EVENT_BYTES, size / events)
    with bench.folder() as data:
        copy(log, data)
        for turn in range(1 if bench.quick else ROUNDS):
            async with _started(bench, plan.START_EMPTY, None) as server:
                await _measure(bench, server, plan.EMPTY, 0, None)
            async with _started(bench, plan.START_LARGE, data) as server:
                base = base_of(events, accounts)
                base[0] = await _head(server)
                await _measure(bench, server, plan.FULL, turn * plan.TOUCHED, base)


async def idle(bench: Bench) -> None:
    """Accounts in memory of which nobody asks anything."""
    filling, accounts = (50_000, 50_000) if bench.quick else (300_000, plan.LIVE - 300_000)
    async with bench.gesta("--aggregates-live-max", str(2 * plan.LIVE)) as server:
        found = await bench.load(
            plan.IDLE,
            "workloads.idle",
            "bytes",
            address=server.address,
            pid=server.pid,
            filling=filling,
            accounts=accounts,
        )
    bench.figures.add(plan.IDLE_RSS, found["rss_mb"], found["violations"])
    bench.figures.notes[plan.IDLE] = f"its state: {found['state_bytes']} bytes"
    bench.figures.notes[plan.IDLE_RSS] = f"{filling + accounts:,} accounts"


def copy(log: Path, to: Path) -> None:
    """What was built, to be written to; on the disk before anything is measured."""
    shutil.copytree(log, to, dirs_exist_ok=True)
    os.sync()


@asynccontextmanager
async def _started(bench: Bench, name: str, data: Path | None) -> AsyncIterator[Running]:
    bench.say(name)
    begun = time.perf_counter()
    async with bench.gesta(data=data) as server:
        bench.figures.add(name, time.perf_counter() - begun)
        yield server


async def _head(server: Running) -> int:
    found = await measured("workloads.head", address=server.address)
    return int(found["head"])


async def _measure(
    bench: Bench, server: Running, names: tuple[str, str, str], first: int, base: list[int] | None
) -> None:
    commands, states, streams = names
    found = await bench.load(
        commands,
        "workloads.large",
        address=server.address,
        pid=server.pid,
        accounts=plan.TOUCHED,
        first=first,
        base=base,
        seconds=bench.seconds,
    )
    bench.figures.add(states, found["states"], found["violations"])
    bench.figures.add(streams, found["streams"], found["violations"])
