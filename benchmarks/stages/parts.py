"""Parts of the server by themselves; each has its rounds within."""

from benchmarks import plan
from benchmarks.bench import Bench


async def parts(bench: Bench) -> None:
    """One long aggregate, loaded; one rare type, found."""
    events = 10_000 if bench.quick else 100_000
    with bench.folder() as data:
        found = await bench.load(
            plan.LOADING, "workloads.loading", "ms", data=str(data), events=events, rounds=5
        )
        bench.figures.add(plan.LOADING_WHOLE, found["without_ms"])
    with bench.folder() as data:
        found = await bench.load(
            *(plan.SEEKING, "workloads.seeking", "ms"),
            data=str(data),
            events=2 * events,
            one_in=1_000,
            rounds=5,
        )
        bench.figures.add(plan.SEEKING_SCAN, found["scan_ms"])
        bench.figures.add(plan.INDEXING, found["indexed_per_second"])
