"""Runs every workload in turns with what it is held against, and writes down the ratios.

    python -m benchmarks [--quick] [--only STAGE,...] [--rounds N] [--seconds S] [--data DIR]

Servers and load clients are processes of their own on one machine, over loopback. Every command is
durable before it is answered. DIR, where logs are made, should be on the disk that matters. A whole
run is written down, in results.json and RESULTS.md; a share takes the place of its rows if it is to
be kept. Ends with 1 if a promise was broken, or a stage broke off.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TimeElapsedColumn

from benchmarks import page, results
from benchmarks.bench import Bench
from benchmarks.budget import budget
from benchmarks.durability import durability
from benchmarks.machine import machine
from benchmarks.plan import LINES
from benchmarks.processes import ROOT
from benchmarks.results import Results
from benchmarks.rows import rows
from benchmarks.stages import ONCE, QUICK, STAGES
from benchmarks.table import table

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a share, in two minutes")
    parser.add_argument("--only", help="stages, with commas between; unset: all, or the quick ones")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=float, help="of each load in each round")
    parser.add_argument("--soak-minutes", type=float)
    parser.add_argument("--keep", action="store_true", help="write a share down, too")
    parser.add_argument("--remark", help="what else is to be known of the run, for the page")
    parser.add_argument("--data", type=Path, default=ROOT / "build" / "benchmarks")
    options = parser.parse_args()
    bench = Bench(
        data=options.data,
        cache=options.data / "kept",
        seconds=options.seconds or (1.0 if options.quick else 4.0),
        quick=options.quick,
        soak_minutes=options.soak_minutes or (0.1 if options.quick else 1.0),
    )
    rounds = options.rounds or (1 if options.quick else 3)
    bench.cache.mkdir(parents=True, exist_ok=True)
    whole = options.only is None and not options.quick
    stages = options.only.split(",") if options.only else QUICK if options.quick else tuple(STAGES)
    more = asyncio.run(run(bench, stages, rounds, whole))
    found = rows(bench.figures, LINES)
    on = machine(bench.data)
    if whole:
        settings = {"rounds": str(rounds), "seconds of each load": f"{bench.seconds:g}"}
        settings |= {"remark": options.remark} if options.remark else {}
        made = Results(on, settings, found, failed=bench.figures.failed, **more)
        keep(results.carried(made, results.read(), LINES))
    elif options.keep:
        keep(results.replaced(results.read(), found, f"by itself, {on['date']}"))
    Console(width=160).print(table(found))
    for name, broken in bench.figures.broken.items():
        print(f"INVALID: {name}: {'; '.join(broken)}", file=sys.stderr)
    for stage, why in bench.figures.failed.items():
        print(f"BROKE OFF: {stage}: {why}", file=sys.stderr)
    sys.exit(1 if bench.figures.broken or bench.figures.failed else 0)


def keep(found: Results) -> None:
    """In results.json, and on the page."""
    results.write(found)
    page.write(found)


async def run(bench: Bench, stages: Sequence[str], rounds: int, whole: bool) -> dict[str, Any]:
    """Every stage once a round, so that noise falls on all of them. What belongs on the page beside
    the figures, if it is a whole run."""
    columns = (SpinnerColumn(), *Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("benchmarks", total=rounds * len(stages) + 2 * whole)
        bench.say = lambda name: progress.update(task, description=name)
        for number in range(rounds):
            for stage in stages:
                if stage not in ONCE or number == 0:
                    await _kept_up(bench, stage, STAGES[stage](bench))
                progress.advance(task)
        if not whole:
            return {}
        more = {
            "durability": await _kept_up(bench, "durability", durability(bench)),
            "budget": await _kept_up(bench, "budget", budget(bench)),
        }
        return {name: found for name, found in more.items() if found is not None}


async def _kept_up(bench: Bench, stage: str, work: Awaitable[T]) -> T | None:
    """What comes of it. One that breaks off does not take the others with it."""
    try:
        return await work
    except (RuntimeError, TimeoutError, OSError) as error:
        bench.figures.failed[stage] = f"{type(error).__name__}: {error}"
        return None


if __name__ == "__main__":
    main()
