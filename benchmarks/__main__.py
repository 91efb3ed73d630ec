"""Runs every workload in turns with the reference, and prints ratios of medians.

    python -m benchmarks [--rounds N] [--seconds S] [--data DIR]

The server, the reference and this client are three processes on one machine, over loopback. Every
command is durable before it is answered, and its id and answer are stored with it. DIR, where the
log is made, should be on the disk that matters.
"""

import argparse
import asyncio
import statistics
import tempfile
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from benchmarks import echo, load, readback
from benchmarks.servers import running
from gesta.client import Client, connect

ACCOUNTS = 10_000
READ_EVENTS_MAX = 1_000_000


@dataclass
class Figures:
    """What each workload gave, round by round."""

    rounds: dict[str, list[float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, workload: str, value: float, note: str = "") -> None:
        self.rounds.setdefault(workload, []).append(value)
        if note:
            self.notes[workload] = note

    def median(self, workload: str) -> float:
        return statistics.median(self.rounds[workload])


GOALS = (
    # workload, reference, the ratio it should reach
    ("spread, 64 callers", "echo, 64 callers", 4.0),
    ("spread, 256 callers", "echo, 256 callers", 6.0),
    ("one hot aggregate, 256 callers", "spread, 256 callers", 0.9),
    ("unary Execute, 64 callers", "echo, 64 callers", 0.75),
    ("subscriber, events", "echo, 64 callers", 50.0),
)


async def measure(rounds: int, seconds: float, data: str, progress: Progress) -> Figures:
    """Every workload once a round, so that noise falls on all of them."""
    figures = Figures()
    task = progress.add_task("benchmarks", total=rounds * 7 + 1)
    async with (
        running("benchmarks.echo") as reference,
        running(
            "gesta.server", "serve", "examples.bank", "--data", data, "--listen", "127.0.0.1:0"
        ) as server,
        connect(server) as client,
        connect(server, batching=False) as unary,
    ):
        await load.open_accounts(client, "spread", ACCOUNTS)
        await load.open_accounts(client, "hot", 1)
        progress.advance(task)
        for _ in range(rounds):
            for callers in (64, 256):
                rate = await echo.measure(reference, callers, seconds)
                figures.add(f"echo, {callers} callers", rate)
                progress.advance(task)
                await _load(
                    figures, client, f"spread, {callers} callers", ACCOUNTS, callers, seconds
                )
                progress.advance(task)
            await _load(figures, client, "one hot aggregate, 256 callers", 1, 256, seconds)
            progress.advance(task)
            await _load(figures, unary, "unary Execute, 64 callers", ACCOUNTS, 64, seconds)
            progress.advance(task)
            events, rate = await readback.measure(client, READ_EVENTS_MAX)
            figures.add("subscriber, events", rate, f"{events:,} events")
            progress.advance(task)
    return figures


async def _load(
    figures: Figures, client: Client, workload: str, accounts: int, callers: int, seconds: float
) -> None:
    prefix = "spread" if accounts > 1 else "hot"
    done = await load.deposits(client, prefix, accounts, callers, seconds)
    figures.add(workload, done.per_second, f"p50 {done.p50_ms:.1f} ms, p99 {done.p99_ms:.1f} ms")


def table(figures: Figures) -> Table:
    """The figures as people read them."""
    shown = Table(title="gesta, durable, ids and answers stored")
    for column, justify in (
        ("workload", "left"),
        ("per second", "right"),
        ("spread", "right"),
        ("reference", "left"),
        ("ratio", "right"),
        ("goal", "right"),
        ("", "left"),
    ):
        shown.add_column(column, justify=justify)  # type: ignore[arg-type]  # rich wants a literal
    references = {workload: (reference, goal) for workload, reference, goal in GOALS}
    for workload, values in figures.rounds.items():
        reference, goal = references.get(workload, ("", 0.0))
        ratio = figures.median(workload) / figures.median(reference) if reference else 0.0
        shown.add_row(
            workload,
            f"{figures.median(workload):,.0f}",
            f"{min(values):,.0f}-{max(values):,.0f}",
            reference,
            f"{ratio:.2f}" if reference else "",
            f"{goal:.2f}" if reference else "",
            figures.notes.get(workload, ""),
        )
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each load in each round")
    parser.add_argument("--data", help="where to make the log; a temporary folder by default")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary, Progress(console=Console(stderr=True)) as bar:
        data = options.data or temporary
        figures = asyncio.run(measure(options.rounds, options.seconds, data, bar))
    Console().print(table(figures))


if __name__ == "__main__":
    main()
