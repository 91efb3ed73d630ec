"""`gesta trace`: what belongs together, as a tree of commands and events."""

from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text

from gesta.client import Client, Event, Match
from gesta.server.cli.asking import ask
from gesta.server.cli.causes import Caused, Causes, Step
from gesta.server.cli.events import plain_event
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.cli.options import SERVER_DEFAULT, TIMEOUT_S_DEFAULT, AsJson, Server, Timeout
from gesta.server.cli.output import console, one_line, print_answer, printable, say

EVENTS_MAX = 10_000
"""More than anybody reads; they are all in memory."""

_INDENTS_MAX = 40
"""What is deeper is not moved any further to the right, out of sight."""


def trace(
    name: Annotated[
        str, typer.Argument(metavar="ID", help="A correlation id, or a command id that belongs.")
    ],
    *,
    limit: Annotated[
        int, typer.Option(metavar="N", min=1, max=1_000_000, help="At most so many events.")
    ] = EVENTS_MAX,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows the commands and events of a correlation, each below what led to it.

    Events are shown as they are stored. A command that wrote nothing left nothing to show. With
    --json: correlation_id, complete (false where the limit cut it), and commands in the order of
    the tree, each with depth (the commands above it), what caused it, and events.
    """
    if not name:  # of an unset variable in a script
        raise Failure(ExitCode.BAD_INPUT, "the ID is empty")

    async def work(client: Client) -> None:
        correlation_id = name
        events = await _read(client, name, limit)
        if not events:
            correlation_id = await _correlation_of(client, name)
            events = await _read(client, correlation_id, limit)
        complete = len(events) <= limit
        steps = Causes(events[:limit]).walk()
        if as_json:
            commands = [
                _plain(step.at, step.depth) for step in steps if isinstance(step.at, Caused)
            ]
            answer = {
                "correlation_id": correlation_id,
                "complete": complete,
                "commands": commands,
            }
            print_answer(answer, as_json=True)
            return
        console().print(Text(f"correlation {printable(correlation_id)}", "bold"))
        for step in steps:
            console().print(_line(step))
        if not complete:
            say(f"there is more: these are the first {limit} events (--limit)")

    ask(server, timeout_s, work)


async def _read(client: Client, correlation_id: str, limit: int) -> list[Event]:
    """In order of position; more than the limit, if there are more."""
    reading = client.read(where=Match(correlation_id=correlation_id), as_stored=True)
    events: list[Event] = []
    async with aclosing(reading.batches()) as batches:
        async for batch in batches:
            events += batch
            if len(events) > limit:
                break
    return events


async def _correlation_of(client: Client, name: str) -> str:
    """Where the command belongs. Raises Failure if it is none, or wrote nothing."""
    try:
        command = Match(command_id=UUID(name))
    except ValueError:
        command = None
    if command is not None:
        async for event in client.read(where=command, backwards=True, limit=1, as_stored=True):
            return event.correlation_id
    raise Failure(ExitCode.NOT_FOUND, f"nothing in the log belongs to {name}")


def _plain(command: Caused, depth: int) -> dict[str, object]:
    first = command.events[0]
    return {
        "command_id": command.command_id,
        "depth": depth,
        "caused_by_command": command.caused_by_command,
        "caused_by_event": command.caused_by_event,
        "causation_id": first.causation_id,
        "commit_time": first.commit_time,
        "principal": first.principal,
        "traceparent": first.traceparent,
        "events": [plain_event(event) for event in command.events],
    }


def _line(step: Step) -> Text:
    line = Text("  " * min(step.indent, _INDENTS_MAX))
    if isinstance(step.at, Event):
        return line.append_text(_event(step.at))
    return line.append_text(_command(step.at))


def _event(event: Event) -> Text:
    return Text.assemble(
        (f"{event.position}", "bold"),
        (f"  {printable(event.aggregate_type)}/{printable(event.aggregate_id)}", "cyan"),
        (f"  v{event.version}", "dim"),
        (f"  {printable(event.event_type)}", "green"),
        f"  {printable(one_line(event.data).decode())}",
    )


def _command(command: Caused) -> Text:
    first = command.events[0]
    user = first.metadata.get("user_id")
    line = Text.assemble(
        f"command {command.command_id}",
        (f"  {first.commit_time:%Y-%m-%d %H:%M:%S.%f}Z", "dim"),
        (f"  by {printable(user or first.principal)}", "cyan"),
    )
    if command.caused_by_command is None and first.causation_id is not None:
        line.append(f"  caused by {printable(first.causation_id)}", "dim")
    if first.traceparent is not None:
        line.append(f"  trace {first.traceparent.split('-')[1]}", "dim")
    return line
