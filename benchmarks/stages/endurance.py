"""A load that lasts, and one that is too much."""

import math

from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.processes import measured

FLOOD_S = 8.0
"""Until the server's queue is full, and then some."""
SPARE_S = 600
"""For opening, reading the whole log and checking it."""


async def soak(bench: Bench) -> None:
    """What a mixed load does to the server in the end, against what it did once it was warm."""
    seconds = 60 * bench.soak_minutes
    async with bench.gesta() as server:
        bench.say(f"a mixed load for {bench.soak_minutes:g} minutes")
        found = await measured(
            "workloads.soak",
            seconds + SPARE_S,
            address=server.address,
            pid=server.pid,
            per_second=plan.SOAK_PER_SECOND,
            seconds=seconds,
        )
    for what, figure in plan.SOAK_FIGURES.items():
        now, before = plan.soak(bench.soak_minutes, what)
        bench.figures.add(now, found[f"{figure}_end{_unit(figure)}"], found["violations"])
        bench.figures.add(before, found[f"{figure}_warm{_unit(figure)}"], found["violations"])
        bench.figures.notes[now] = f"after {bench.soak_minutes:g} min"


async def overload(bench: Bench) -> None:
    """Three times the peak, offered at once."""
    async with bench.gesta() as server:
        bench.say(plan.ACCEPTED)
        found = await measured(
            "workloads.overload",
            address=server.address,
            seconds=FLOOD_S / 2 if bench.quick else FLOOD_S,
        )
    broken = found["violations"]
    bench.figures.add(plan.PEAK, found["peak"], broken)
    bench.figures.add(plan.ACCEPTED, found["accepted"], broken)
    bench.figures.notes[plan.ACCEPTED] = f"{found['offered']:,.0f}/s were offered"
    bench.figures.add(plan.ACCEPTED_P99, found["accepted_p99_ms"], broken)
    bench.figures.add(plan.SHARE_REFUSED, 100 * found["refused_share"], broken)
    if found["refused"]:
        bench.figures.add(plan.FLOOD_REFUSED, found["refused_p99_ms"], broken)
        without = found["without_advice"] + found["bystander_without_advice"]
        bench.figures.add(plan.WITHOUT_ADVICE, without, broken)
    for name, kind in ((plan.REFUSED, "stream"), (plan.CALL_REFUSED, "call")):
        if not math.isnan(p99_ms := found[f"bystander_{kind}_refused_p99_ms"]):
            bench.figures.add(name, p99_ms, broken)


def _unit(figure: str) -> str:
    return "_ms" if figure == "p99" else ""
