"""Commands and appends. Every load of commands has a server and a log of its own, which is read and
checked afterwards."""

from typing import Any

from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.peers import umadb
from benchmarks.processes import Running, Unavailable, running
from benchmarks.references.echo import FLUSHED, FRAMES, UNARY

QUICK_CALLERS = (1, 64, 256)


async def commands(bench: Bench) -> None:
    """Durable commands by so many callers, UmaDB's appends by as many, and echoes."""
    for callers in QUICK_CALLERS if bench.quick else plan.CALLERS:
        await _commands(bench, plan.spread(callers), plan.ACCOUNTS, callers)
        await _umadb(bench, plan.umadb(callers), "peers.umadb", threads=callers)
    await _commands(bench, plan.HOT, 1, 256)
    with bench.folder() as data:
        async with running("benchmarks.references.echo", str(data)) as echo:
            await _echo(bench, plan.UNARY_ECHO, echo, 64, UNARY)
            await _commands(bench, plan.UNARY, plan.ACCOUNTS, 64, batching=False)
            await _echo(bench, plan.FLUSHED_ECHO, echo, 64, FLUSHED)
            for callers in () if bench.quick else plan.CALLERS[1:]:
                await _echo(bench, plan.framed_echo(callers), echo, callers, FRAMES)


async def appends(bench: Bench) -> None:
    """Events in appends of five hundred, gesta's and UmaDB's."""
    async with bench.gesta() as server:
        await bench.load(
            plan.APPEND,
            "workloads.appending",
            address=server.address,
            pid=server.pid,
            events=plan.APPEND_EVENTS,
            callers=plan.APPEND_CALLERS,
            seconds=bench.seconds,
        )
    await _umadb(
        bench,
        plan.UMADB_APPEND,
        "peers.umadb_appending",
        events=plan.APPEND_EVENTS,
        threads=plan.APPEND_CALLERS,
    )


async def store(bench: Bench) -> None:
    """The store without server and clients, and SQLite without the store, commit by commit."""
    seconds = bench.seconds / 4
    for size in QUICK_CALLERS if bench.quick else plan.CALLERS:
        with bench.folder() as data:
            await bench.load(
                plan.bare_sqlite(size),
                "references.sqlite",
                data=str(data),
                size=size,
                seconds=seconds,
            )
        for name, kept in ((plan.store(size), True), (plan.store_without_ids(size), False)):
            with bench.folder() as data:
                await bench.load(
                    name,
                    "workloads.store",
                    data=str(data),
                    size=size,
                    seconds=seconds,
                    commands=kept,
                )


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


async def _umadb(bench: Bench, name: str, module: str, **arguments: Any) -> None:
    try:
        with bench.folder() as data:
            async with umadb.server(data) as server:
                await bench.load(
                    name,
                    module,
                    address=server.address,
                    pid=server.pid,
                    seconds=bench.seconds,
                    **arguments,
                )
    except Unavailable as missing:
        bench.figures.skip("UmaDB", str(missing))


async def _echo(bench: Bench, name: str, server: Running, callers: int, method: str) -> None:
    await bench.load(
        name,
        "references.echo",
        address=server.address,
        pid=server.pid,
        callers=callers,
        seconds=bench.seconds / 2,
        method=method,
    )
