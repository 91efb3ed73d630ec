"""Readers: one that catches up with a long log, projections, and many that follow the log live."""

from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.peers import umadb, umadb_reading
from benchmarks.processes import Unavailable, measured, running

QUICK_EVENTS = 100_000
QUICK_SUBSCRIBERS = (1, 100)


async def catching_up(bench: Bench) -> None:
    """A log of a million events to one client, and UmaDB's to one of its own."""
    events = QUICK_EVENTS if bench.quick else plan.LONG_EVENTS
    log = await bench.built(events, plan.LONG_ACCOUNTS)
    async with bench.gesta(data=log) as server:
        bench.say(plan.DECODED)
        found = await measured(
            "workloads.catching_up",
            address=server.address,
            log=str(log / "log.sqlite3"),
            events=events,
        )
    for name, figure in (
        (plan.SCAN, "scan"),
        (plan.FRAMES_SUBSCRIBED, "subscribed_frames"),
        (plan.FRAMES_READ, "read_frames"),
        (plan.DECODED, "decoded"),
    ):
        bench.figures.add(name, found[figure], found["violations"])
    try:
        async with umadb.server(umadb_reading.folder(bench.cache, events)) as server:
            await bench.load(
                plan.UMADB_READ, "peers.umadb_reading", address=server.address, events=events
            )
    except Unavailable as missing:
        bench.figures.skip("UmaDB", str(missing))


async def projecting(bench: Bench) -> None:
    """The bank's projections, each into a new database, and a handler that does nothing."""
    events = QUICK_EVENTS if bench.quick else plan.PROJECTED_EVENTS
    log = await bench.built(events, plan.PROJECTED_ACCOUNTS)
    async with bench.gesta(data=log) as server:
        for name, projection in plan.PROJECTIONS.items():
            with bench.folder() as data:
                await bench.load(
                    name,
                    "workloads.projecting",
                    address=server.address,
                    events=events,
                    data=str(data),
                    projection=projection,
                )


async def fan_out(bench: Bench) -> None:
    """Ten thousand deliveries a second to so many subscribers, and bare grpc.aio's."""
    for subscribers in QUICK_SUBSCRIBERS if bench.quick else plan.SUBSCRIBERS:
        per_second = plan.DELIVERIES / subscribers
        seconds = max(bench.seconds, plan.COMMITS_MIN / per_second)
        async with bench.gesta() as server:
            found = await bench.load(
                plan.fan_out(subscribers),
                "workloads.fan_out",
                address=server.address,
                subscribers=subscribers,
                per_second=per_second,
                seconds=seconds,
            )
        if found["lag_ms"] > 1_000:
            note = f"the load itself was {found['lag_ms'] / 1e3:.1f} s late in the end"
            bench.figures.notes[f"{plan.fan_out(subscribers)}, p99"] = note
        async with running("benchmarks.references.fan_out", str(per_second)) as server:
            await bench.load(
                plan.bare_fan_out(subscribers),
                "references.fan_out",
                address=server.address,
                subscribers=subscribers,
                seconds=seconds,
            )
