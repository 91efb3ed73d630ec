"""`gesta serve`: one server, from its command line to its end."""

import asyncio
import contextlib
import logging
import socket
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from gesta.engine.limits import Limits
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure, of_log
from gesta.server.cli.hosting import load_catalog
from gesta.server.cli.lifetime import LoopKind, live, new_runner
from gesta.server.cli.output import abandon, print_line
from gesta.server.config import MEMORY, Config, ConfigError
from gesta.server.process import Server
from gesta.store.port import StoreError

_LIMITS = Limits()
_DEFAULTS = Config(data="")
_TURN_WAIT = typer.Option(
    metavar="MS", min=1, help="Commands that would wait longer are told to come later."
)


def serve(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            show_default=False,
            help="The aggregates to host: a module, module:attribute or path. Without it: a pure "
            "event store, which takes events of any type.",
        ),
    ] = None,
    *,
    data: Annotated[
        str,
        typer.Option(metavar="DIR", help="The log's directory; :memory: for one not kept."),
    ],
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where; port 0 takes a free one.")
    ] = _DEFAULTS.listen,
    insecure: Annotated[
        bool,
        typer.Option(
            "--insecure",
            help="Allow an address that others can reach, although there is no TLS and no "
            "authentication yet: whoever reaches it may read and write everything.",
        ),
    ] = False,
    aggregates_live_max: Annotated[
        int, typer.Option(metavar="N", min=1, help="Aggregates kept in memory.")
    ] = _LIMITS.aggregates_live_max,
    commands_waiting_max: Annotated[
        int,
        typer.Option(metavar="N", min=1, help="Commands unanswered at once; more come later."),
    ] = _LIMITS.commands_waiting_max,
    turn_wait_ms_max: Annotated[int, _TURN_WAIT] = _LIMITS.turn_wait_ms_max,
    drain_grace_s: Annotated[
        float,
        typer.Option(metavar="SECONDS", min=0, help="How long a stop waits for what was taken in."),
    ] = _DEFAULTS.drain_grace_s,
    loop: Annotated[
        LoopKind, typer.Option(help="The event loop; auto is uvloop where it is installed.")
    ] = LoopKind.AUTO,
    debug: Annotated[
        bool, typer.Option("--debug", help="Log more; show tracebacks of the code in TARGET.")
    ] = False,
) -> None:
    """Serves a log, and hosts the aggregates in TARGET.

    The first line on stdout, once ready, is `listening HOST:PORT`; the log of what happens goes to
    stderr. SIGTERM or Ctrl-C answers what was taken in, then ends with 0; a second one ends it at
    once. If the storage fails it ends with 74, and the next start finds out what was written.
    """
    limits = Limits(
        aggregates_live_max=aggregates_live_max,
        commands_waiting_max=commands_waiting_max,
        turn_wait_ms_max=turn_wait_ms_max,
    )
    config = Config(
        data=data,
        listen=listen,
        target=target,
        insecure=insecure,
        drain_grace_s=drain_grace_s,
        limits=limits,
    )
    stdout = sys.stdout
    _log_to_stderr(logging.DEBUG if debug else logging.INFO)
    # What the author's code prints must not come before the address, which others wait for.
    with contextlib.redirect_stdout(sys.stderr):
        _check(config)
        server = Server(config, catalog=load_catalog(target, debug=debug))
        with new_runner(loop) as runner:
            _run(runner, server, stdout)


def _check(config: Config) -> None:
    try:
        config.validate()
    except ConfigError as error:
        raise Failure(ExitCode.BAD_INPUT, str(error)) from None
    _check_data(config)
    _check_address(config)


def _check_data(config: Config) -> None:
    if config.data != MEMORY:
        path = Path(config.data).absolute()
        there = next(each for each in (path, *path.parents) if each.exists())
        if not there.is_dir():
            raise Failure(ExitCode.BAD_INPUT, f"data: {there} is not a directory")


def _check_address(config: Config) -> None:
    """gRPC would find it too, and write lines of its own; this way the reason can be told."""
    host, port = config.address()
    problem: OSError | None = None
    try:
        for family, kind, _, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            try:
                with socket.socket(family, kind) as trial:
                    trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    trial.bind(address)
                    return
            except OSError as error:
                problem = error
    except socket.gaierror as error:
        problem = error
    assert problem is not None, "a name that was resolved has an address"
    raise Failure(
        ExitCode.CANNOT_LISTEN, f"{config.listen}: {problem.strerror} (--listen names another)"
    )


def _run(runner: asyncio.Runner, server: Server, stdout: TextIO) -> None:
    def announce(address: str) -> None:
        with contextlib.redirect_stdout(stdout):
            try:
                print_line(f"listening {address}")
            except BrokenPipeError:  # whoever started us went away; the server is for others, too
                abandon(stdout)

    try:
        runner.run(live(server, announce))
    except ConfigError as error:  # what can be checked beforehand was: this is the port
        raise Failure(ExitCode.CANNOT_LISTEN, error.detail) from None
    except StoreError as error:
        raise of_log(error) from None
    except OSError as error:
        raise Failure(ExitCode.STORAGE_FAILED, f"{server.config.data}: {error.strerror}") from None
    if server.failure is not None:
        raise Failure(ExitCode.STORAGE_FAILED, str(server.failure))


def _log_to_stderr(level: int) -> None:
    logging.basicConfig(
        stream=sys.stderr,
        level=level,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
