"""The commands together, and how any of them ends."""

import sys
from collections.abc import Sequence
from io import TextIOWrapper

import typer

from gesta.server.cli import exit_codes
from gesta.server.cli.copies import backup, restore, verify
from gesta.server.cli.describing import info, types
from gesta.server.cli.events import events
from gesta.server.cli.execute import execute
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.cli.history import diff, history
from gesta.server.cli.output import print_line, report
from gesta.server.cli.project import project
from gesta.server.cli.projections import projections
from gesta.server.cli.reading import query, state
from gesta.server.cli.serve import serve
from gesta.server.cli.snapshot import snapshot
from gesta.server.cli.trace import trace
from gesta.server.cli.verify_replay import verify_replay

# Typer carries its own copy of click since 0.20-odd; this base of its errors of usage can be
# reached in every version through the one subclass that it exports.
_UsageError: type[Exception] = typer.BadParameter.__mro__[1]

app = typer.Typer(
    epilog=exit_codes.epilog(),
    rich_markup_mode=None,  # plain help, in which lines such as the table of codes stay lines
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (
    serve,
    execute,
    query,
    state,
    history,
    diff,
    events,
    trace,
    projections,
    types,
    info,
    backup,
    restore,
    verify,
    verify_replay,
):
    app.command()(command)
app.add_typer(project, name="project")
app.add_typer(snapshot, name="snapshot")


@app.callback(invoke_without_command=True)
def root(context: typer.Context) -> None:
    """An event-sourced aggregate server, and commands to speak to one."""
    if context.invoked_subcommand is None:
        print_line(context.get_help())


def main() -> None:
    """The entry point: runs the command line, and ends the process with its exit code."""
    # An error of the command line itself is found before any option is read.
    as_json = "--json" in sys.argv
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as stderr does, in any locale
    try:
        _check_words(sys.argv)
        code = app(prog_name="gesta", standalone_mode=False) or ExitCode.OK
    except Failure as failure:
        report(failure, as_json=as_json)
        code = failure.code
    except _UsageError as error:
        report(Failure(ExitCode.BAD_INPUT, _told(error), reason="USAGE"), as_json=as_json)
        code = ExitCode.BAD_INPUT
    except (typer.Abort, KeyboardInterrupt):
        code = ExitCode.INTERRUPTED
    sys.exit(code)


def _check_words(words: Sequence[str]) -> None:
    """Python keeps bytes that are not UTF-8 as surrogates, which no message can carry."""
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        raise Failure(ExitCode.BAD_INPUT, "a word of the command line is not UTF-8") from None


def _told(error: Exception) -> str:
    message: str = error.format_message() if hasattr(error, "format_message") else str(error)
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "gesta"
    return f"{message.rstrip('.')}; see {command} --help"
