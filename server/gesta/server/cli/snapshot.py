"""`gesta snapshot status` and `gesta snapshot clear`: the file of snapshots beside a log."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.cli.options import AsJson
from gesta.server.cli.output import print_answer
from gesta.store import SqliteSnapshots

snapshot = typer.Typer(
    help="Says what snapshots there are, or drops them. Either can be done beside a server.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Data = Annotated[
    Path, typer.Option("--data", metavar="DIR", help="The data directory of the server.")
]


@snapshot.command()
def status(data: Data, *, as_json: AsJson = False) -> None:
    """Counts the snapshots, their aggregates and their bytes, by aggregate type."""

    async def work(kept: SqliteSnapshots) -> None:
        counts = await kept.count()
        types = {name: count._asdict() for name, count in sorted(counts.items())}
        print_answer({"aggregate_types": types}, as_json=as_json)

    _with(data, work)


@snapshot.command()
def clear(
    data: Data,
    aggregate_type: Annotated[
        str | None, typer.Argument(metavar="TYPE", help="Only those of this type.")
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Drops snapshots. It costs the time of folding once more, and nothing else."""

    async def work(kept: SqliteSnapshots) -> None:
        print_answer({"dropped": await kept.clear(aggregate_type)}, as_json=as_json)

    _with(data, work)


def _with(data: Path, work: Callable[[SqliteSnapshots], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        kept = SqliteSnapshots(data)
        try:
            if not await kept.look():
                raise Failure(ExitCode.BAD_INPUT, f"there are no snapshots in {data}")
            await work(kept)
        finally:
            await kept.close()

    asyncio.run(run())
