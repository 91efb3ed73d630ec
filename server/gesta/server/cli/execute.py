"""`gesta execute`: one command."""

from typing import Annotated, Any

import typer

from gesta.client import Client, Done, GestaError
from gesta.server.cli.arguments import needs_schema, parse_arguments, parse_pairs
from gesta.server.cli.asking import ask, failure_of, find_schema
from gesta.server.cli.dry_run import foresee
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.cli.options import (
    INT64_MAX,
    SERVER_DEFAULT,
    TIMEOUT_S_DEFAULT,
    AggregateId,
    AggregateType,
    AsJson,
    Server,
    Timeout,
    Words,
)
from gesta.server.cli.output import print_answer, printable, say

ExpectedVersion = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=0,
        max=INT64_MAX,
        help="The version it must be at; 0: it must not exist.",
    ),
]
MustExist = Annotated[
    bool | None,
    typer.Option("--must-exist/--must-not-exist", help="Whether it must exist already."),
]
CommandId = Annotated[
    str | None,
    typer.Option(
        metavar="UUID|KEY",
        help="The same id gets the same answer, however often it is sent: a UUID, or a key of "
        "your own such as invoice-17.",
    ),
]
Metadata = Annotated[
    list[str] | None,
    typer.Option(metavar="KEY=VALUE", help="Kept with the events; may be given again."),
]
WaitFor = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PROJECTION",
        help="Answer once it has the events, or say that it is late; may be given again.",
    ),
]
WaitTimeout = Annotated[
    float | None,
    typer.Option(
        "--wait-timeout",
        metavar="SECONDS",
        min=0,
        max=86_400,
        show_default="the server's, 5",
        help="How long to wait for that.",
    ),
]
DryRun = Annotated[
    bool,
    typer.Option("--dry-run", help="Only say what it would do, a refusal included; write nothing."),
]
AtVersion = Annotated[
    int | None,
    typer.Option(
        metavar="N", min=0, max=INT64_MAX, help="With --dry-run: as if it stood at this version."
    ),
]


def execute(
    aggregate_type: AggregateType,
    aggregate_id: AggregateId,
    command: Annotated[str, typer.Argument(metavar="COMMAND", help="Its name.")],
    words: Words = None,
    *,
    expected_version: ExpectedVersion = None,
    must_exist: MustExist = None,
    command_id: CommandId = None,
    metadata: Metadata = None,
    wait_for: WaitFor = None,
    wait_timeout_s: WaitTimeout = None,
    dry_run: DryRun = False,
    at_version: AtVersion = None,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Executes a command of an aggregate.

    A value is taken as JSON if it is JSON, else as text; where the command expects text it is text.
    With --json the arguments may follow as one object, and the answer is one, too:

    \b
      gesta execute BankAccount acc-1 deposit amount=500
      gesta execute BankAccount acc-1 deposit --json '{"amount": 500}'
    """
    if expected_version is not None and must_exist is not None:
        raise Failure(ExitCode.BAD_INPUT, "--expected-version says whether it must exist, too")
    if command_id == "":  # of an unset variable in a script; it would be one id for all commands
        raise Failure(ExitCode.BAD_INPUT, "--command-id is empty")
    if at_version is not None and not dry_run:
        raise Failure(ExitCode.BAD_INPUT, "--at-version goes with --dry-run only")
    if wait_timeout_s is not None and not wait_for:
        raise Failure(ExitCode.BAD_INPUT, "--wait-timeout goes with --wait-for only")
    if dry_run and (expected_version, must_exist, command_id, metadata, wait_for) != (None,) * 5:
        text = "--dry-run takes no condition, command id or metadata, and waits for nothing"
        raise Failure(ExitCode.BAD_INPUT, text)
    pairs = parse_pairs(metadata or [], "--metadata")
    given = words or []

    async def work(client: Client) -> None:
        schema = None
        if needs_schema(given):
            schema = await find_schema(client, aggregate_type, command)
        arguments = parse_arguments(given, schema)
        named = (aggregate_type, aggregate_id, command, arguments)
        if dry_run:
            await foresee(client, *named, at_version=at_version, as_json=as_json)
            return
        try:
            done = await client.execute(
                *named,
                expected_version=expected_version,
                must_exist=must_exist,
                command_id=command_id,
                metadata=pairs,
                wait_for=wait_for,
                wait_timeout_s=wait_timeout_s,
            )
        except GestaError as error:
            raise failure_of(error, server, may_have_written=True) from None
        pending = {"pending": done.pending} if wait_for else {}
        print_answer(_plain(done) | pending, as_json=as_json)
        if done.pending and not as_json:
            say(f"committed, not projected yet: {', '.join(map(printable, done.pending))}")

    ask(server, timeout_s, work)


def _plain(done: Done[Any]) -> dict[str, object]:
    return {
        "reply": done.reply,
        "version": done.version,
        "position": done.position,
        "token": done.token,
        "event_count": done.event_count,
        "replayed": done.replayed,
        "command_id": str(done.command_id),
    }
