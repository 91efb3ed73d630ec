"""What is measured in one round, stage by stage; a stage has gesta next to what it is held against.

Every load of commands has a server and a log of its own, which is read and checked afterwards.
"""

from collections.abc import Awaitable, Callable

from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.peers import umadb
from benchmarks.processes import Unavailable, running

ACCOUNTS = 10_000
QUICK_CALLERS = (1, 64, 256)

Stage = Callable[[Bench], Awaitable[None]]


async def commands(bench: Bench) -> None:
    """Durable commands by so many callers, UmaDB's appends by as many, and echoes."""
    for callers in QUICK_CALLERS if bench.quick else plan.CALLERS:
        await _commands(bench, plan.spread(callers), ACCOUNTS, callers)
        await _umadb(bench, callers)
    await _commands(bench, plan.HOT, 1, 256)
    await _commands(bench, plan.UNARY, ACCOUNTS, 64, batching=False)
    async with running("benchmarks.references.echo") as echo:
        await _echo(bench, plan.UNARY_ECHO, echo.address, 64, framed=False)
        for callers in plan.CALLERS[1:]:
            await _echo(bench, plan.framed_echo(callers), echo.address, callers, framed=True)


async def _commands(
    bench: Bench, name: str, accounts: int, callers: int, batching: bool = True
) -> None:
    async with bench.gesta() as server:
        await bench.load(
            name,
            "workloads.commands",
            address=server.address,
            pid=server.pid,
            accounts=accounts,
            callers=callers,
            seconds=bench.seconds,
            batching=batching,
        )


async def _umadb(bench: Bench, threads: int) -> None:
    try:
        with bench.folder() as data:
            async with umadb.server(data) as server:
                await bench.load(
                    plan.umadb(threads),
                    "peers.umadb",
                    address=server.address,
                    pid=server.pid,
                    threads=threads,
                    seconds=bench.seconds,
                )
    except Unavailable as missing:
        bench.figures.skip("UmaDB", str(missing))


async def _echo(bench: Bench, name: str, address: str, callers: int, framed: bool) -> None:
    await bench.load(
        name,
        "references.echo",
        address=address,
        callers=callers,
        seconds=bench.seconds / 2,
        framed=framed,
    )


STAGES: dict[str, Stage] = {"commands": commands}
