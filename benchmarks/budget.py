"""Where the microseconds of one command go: client, edge, engine, store, disk.

    python -m benchmarks.budget [--seconds S] [--data DIR]

No profiler: the processor time of the server's threads, as the kernel accounts it, while clients
load it; beside it the engine without server and disk, and the store without engine, each given the
same work. What is left over is the edge's.
"""

import argparse
import asyncio
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.bench import Bench
from benchmarks.processes import ROOT, measured
from benchmarks.table import figure

CALLERS = (1, 64, 256, 1_024)
ACCOUNTS = 10_000


async def budget(bench: Bench) -> dict[str, Any]:
    """The parts, and for each of them a figure for so many callers."""
    columns = [await _of(bench, callers) for callers in CALLERS]
    parts = [{"part": part, "us": [column[part] for column in columns]} for part in columns[0]]
    return {"callers": list(CALLERS), "parts": parts}


async def _of(bench: Bench, callers: int) -> dict[str, float]:
    bench.say(f"the budget of one command, {callers:,} callers")
    async with bench.gesta() as server:
        whole = await measured(
            "workloads.commands",
            address=server.address,
            pid=server.pid,
            accounts=ACCOUNTS,
            callers=callers,
            seconds=bench.seconds,
        )
    batch = max(1, round(whole["commands_per_commit"]))
    engine = await measured(
        "workloads.engine", accounts=ACCOUNTS, callers=callers, seconds=bench.seconds / 2
    )
    with bench.folder() as data:
        store = await measured(
            "workloads.store", data=str(data), size=batch, seconds=bench.seconds / 2
        )
    between = 1e6 / whole["per_second"]
    return {
        "client: the load's process": whole["client_us"],
        "server: the loop's thread": whole["loop_us"],
        "- engine in it (actor, writer), measured alone": engine["cpu_us"],
        "- edge in it (gRPC, frames, bytes): the rest": whole["loop_us"] - engine["cpu_us"],
        "server: its other threads (SQLite, gRPC)": whole["server_us"] - whole["loop_us"],
        "- the store alone, commits of that size": store["cpu_us"],
        "server: all": whole["server_us"],
        "waiting for the disk in the store alone (no processor time)": max(
            0.0, 1e6 / store["per_second"] - store["cpu_us"]
        ),
        "from one command's end to the next one's (wall clock)": between,
        "commands in a commit (a number, not µs)": whole["commands_per_commit"],
    }


def table(found: dict[str, Any]) -> Table:
    shown = Table(title="the budget of one command, µs")
    shown.add_column("part, by callers at once")
    for callers in found["callers"]:
        shown.add_column(f"{callers:,}", justify="right")
    for each in found["parts"]:
        shown.add_row(each["part"], *map(figure, each["us"]))
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.budget", description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "benchmarks")
    options = parser.parse_args()
    bench = Bench(options.data, options.data / "kept", options.seconds)
    bench.cache.mkdir(parents=True, exist_ok=True)
    Console().print(table(asyncio.run(budget(bench))))


if __name__ == "__main__":
    main()
