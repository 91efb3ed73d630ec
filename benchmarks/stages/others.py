"""What other people's stores and runtimes take for a command like ours. Whatever is not here is
skipped, and its rows say so."""

from contextlib import ExitStack

from tests.integration.projection.postgresql import Unavailable as NoPostgresql
from tests.integration.projection.postgresql import postgresql

from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.peers import eventsourcing
from benchmarks.peers.restate import server as restate
from benchmarks.processes import Unavailable


async def others(bench: Bench) -> None:
    """What could not be had in one round is not tried in the next."""
    for name, measure in (
        ("eventsourcing", _eventsourcing),
        ("PostgreSQL", _postgresql),
        ("Restate", _restate),
    ):
        if name in bench.figures.skipped:
            continue
        try:
            await measure(bench)
        except (Unavailable, NoPostgresql) as missing:
            bench.figures.skip(name, str(missing))


async def _eventsourcing(bench: Bench) -> None:
    eventsourcing.check_installed()
    with bench.folder() as data:
        await bench.load(
            plan.EVENTSOURCING,
            "peers.eventsourcing",
            data=str(data),
            accounts=500,
            seconds=bench.seconds / 2,
        )


async def _postgresql(bench: Bench) -> None:
    with ExitStack() as stack:
        folder = stack.enter_context(bench.folder())
        folder.chmod(0o755)  # for a user that is not root
        url = stack.enter_context(postgresql(folder, durable=True))
        await bench.load(
            plan.POSTGRESQL,
            "peers.postgresql",
            url=url,
            accounts=plan.ACCOUNTS,
            callers=64,
            seconds=bench.seconds,
        )


async def _restate(bench: Bench) -> None:
    with bench.folder() as data:
        async with restate.server(data) as server:
            for name, prefix, accounts, callers in (
                (plan.RESTATE, "spread", plan.ACCOUNTS, 64),
                (plan.RESTATE_HOT, "hot", 1, 256),
            ):
                await bench.load(
                    name,
                    "peers.restate.load",
                    address=server.address,
                    prefix=prefix,
                    accounts=accounts,
                    callers=callers,
                    seconds=bench.seconds,
                )
