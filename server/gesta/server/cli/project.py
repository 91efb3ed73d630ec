"""`gesta project`: runs a projection, rebuilds it, and tells where it stands."""

import asyncio
import contextlib
import importlib
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Coroutine
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gesta.client import Client
from gesta.domain.errors import DefinitionError
from gesta.server.cli.asking import ask
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.cli.following import say_how_it_is
from gesta.server.cli.options import (
    INT64_MAX,
    SERVER_DEFAULT,
    TIMEOUT_S_DEFAULT,
    AsJson,
    Server,
    Timeout,
)
from gesta.server.cli.output import print_answer, print_line

if TYPE_CHECKING:
    from gesta.projection import Checkpoint, Projection, ProjectionError, Runner, Status

project = typer.Typer(rich_markup_mode=None)

Target = Annotated[
    str, typer.Argument(metavar="MODULE:CLASS", help="Such as examples.bank:Accounts.")
]
Database = Annotated[
    str,
    typer.Option(
        "--db",
        metavar="URL",
        help="Its database, as SQLAlchemy names it; or the path of an SQLite file.",
    ),
]


@project.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """Runs projections: read models in SQL, kept up to date by the log."""
    if context.invoked_subcommand is None:
        print_line(context.get_help())


@project.command()
def run(
    target: Target,
    *,
    database: Database,
    once: Annotated[bool, typer.Option("--once", help="End when it has caught up.")] = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Projects what is in the log, and then what comes, until SIGTERM or Ctrl-C.

    Goes on from its checkpoint. An event that cannot be projected stops it, with 1: mend the code
    and run it again, or `skip` the event. Ends with 4 where another one has taken over, or the
    tables must be rebuilt.
    """

    async def work(runner: "Runner") -> None:
        if once:
            await runner.run_once()
        else:
            await runner.run()

    _run(target, database, server, timeout_s, work)


@project.command()
def rebuild(
    target: Target,
    *,
    database: Database,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Projects the whole log into new tables, and puts them in the place of the old ones.

    Those are read, and kept up to date by a `run` of the same code, until the last moment.
    """

    async def work(runner: "Runner") -> None:
        await runner.rebuild()

    _run(target, database, server, timeout_s, work)


@project.command()
def status(
    target: Target,
    *,
    database: Database,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows name, position, head, lag_events, lag_seconds and state.

    The state is one of new, catching_up, live, stopped and failed; after failed follows what it
    failed on. A rebuild, if there is one, follows under its own name.
    """

    async def work(runner: "Runner") -> None:
        found = await runner.statuses()
        answer = _plain(found[0])
        for each in found[1:]:
            answer["rebuild"] = _plain(each)
        print_answer(answer, as_json=as_json)

    _run(target, database, server, timeout_s, work, shows_progress=False)


@project.command()
def skip(
    target: Target,
    *,
    position: Annotated[
        int, typer.Option(metavar="N", min=1, max=INT64_MAX, help="Where it has failed.")
    ],
    database: Database,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Leaves out the event that a projection, or its rebuild, has failed on.

    It is recorded in gesta_projection_skips, and holds for this version of the code.
    """

    async def work(runner: "Runner") -> None:
        await runner.skip(position)

    _run(target, database, server, timeout_s, work, shows_progress=False)


def _run(
    target: str,
    database: str,
    server: str,
    timeout_s: float,
    work: Callable[["Runner"], Coroutine[Any, Any, None]],
    *,
    shows_progress: bool = True,
) -> None:
    projection = _load(target)
    from gesta.projection import BadDatabase, ProjectionError, Runner

    async def with_runner(client: Client) -> None:
        async with (
            _progress(client, shows_progress) as on_commit,
            Runner(client, projection, database, on_commit=on_commit) as runner,
        ):
            watch = asyncio.create_task(say_how_it_is(runner))
            try:
                await _until_sigterm(work(runner))
            finally:
                watch.cancel()

    try:
        ask(server, timeout_s, with_runner)
    except BadDatabase as error:
        raise Failure(ExitCode.BAD_INPUT, str(error), reason="BAD_DATABASE") from None
    except ProjectionError as error:
        raise _failure(error) from None


def _load(target: str) -> "type[Projection]":
    """Raises Failure. The working directory is importable, as under `python -m`."""
    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise Failure(ExitCode.BAD_INPUT, f"{target!r} is not MODULE:CLASS")
    if module_name.endswith(".py"):
        meant = ".".join(Path(module_name).with_suffix("").parts)
        text = f"{target!r} names a file, not a module; write {meant}:{attribute}"
        raise Failure(ExitCode.BAD_INPUT, text)
    try:
        projections = importlib.import_module("gesta.projection.projection")
    except ImportError as error:
        raise Failure(ExitCode.BAD_INPUT, str(error), reason="EXTRA_MISSING") from None
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        found = getattr(importlib.import_module(module_name), attribute)
        projections.definition_of(found)
    except (DefinitionError, AttributeError, TypeError) as error:
        raise Failure(ExitCode.BAD_INPUT, f"{target}: {error}", reason="BAD_TARGET") from None
    except Exception as error:  # the author's module may raise anything
        text = f"{target}: importing it failed: {type(error).__name__}: {error}"
        raise Failure(ExitCode.BAD_INPUT, text, reason="BAD_TARGET") from None
    projection: type[Projection] = found
    return projection


async def _until_sigterm(work: Coroutine[Any, Any, None]) -> None:
    task = asyncio.ensure_future(work)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if current is not None and current.cancelling():  # Ctrl-C, or whoever runs us
            raise


@contextlib.asynccontextmanager
async def _progress(
    client: Client, shown: bool
) -> "AsyncGenerator[Callable[[Checkpoint], Coroutine[Any, Any, None]] | None, None]":
    """A bar on stderr, if that is a terminal, up to the head; yields what moves it."""
    screen = Console(stderr=True)
    if not shown or not screen.is_terminal:
        yield None
        return
    head = (await client.info()).head
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, TimeRemainingColumn(), console=screen) as bar:
        task = bar.add_task("events", total=head)

        async def moved(checkpoint: "Checkpoint") -> None:
            position = checkpoint.position
            bar.update(task, description=checkpoint.state, completed=position)
            if position > head:
                bar.update(task, total=position)

        yield moved


def _plain(found: "Status") -> dict[str, object]:
    """The failure only where there is one."""
    return {name: value for name, value in asdict(found).items() if value is not None}


def _failure(error: "ProjectionError") -> Failure:
    from gesta.projection import DatabaseFailed, PoisonEvent

    code = ExitCode.CONFLICT
    if isinstance(error, PoisonEvent):
        code = ExitCode.FAILED
    elif isinstance(error, DatabaseFailed):
        code = ExitCode.UNAVAILABLE
    told = {each.name: getattr(error, each.name) for each in fields(error)}
    return Failure(code, str(error), reason=error.reason, fields=told)
