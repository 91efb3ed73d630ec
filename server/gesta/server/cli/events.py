"""`gesta events`: the log, or a part of it, to its present end or for ever."""

from collections.abc import Iterable
from contextlib import aclosing
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from gesta.client import Client, Event
from gesta.server.cli.arguments import parse_time
from gesta.server.cli.asking import ask
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure
from gesta.server.cli.following import follow
from gesta.server.cli.options import (
    INT64_MAX,
    SERVER_DEFAULT,
    TIMEOUT_S_DEFAULT,
    AsJson,
    Server,
    Timeout,
)
from gesta.server.cli.output import console, one_line, print_lines, printable
from gesta.server.cli.selection import Selection
from gesta.server.cli.spelling import remark


def events(
    *,
    aggregate: Annotated[
        str | None, typer.Option(metavar="TYPE[/ID]", help="Only of this type, or this aggregate.")
    ] = None,
    event_types: Annotated[
        list[str] | None,
        typer.Option("--type", metavar="EVENT", help="Only of this event type; or of several."),
    ] = None,
    after: Annotated[
        int | None,
        typer.Option(
            metavar="POSITION",
            min=0,
            max=INT64_MAX,
            help="Only after it; backwards: only before it.",
        ),
    ] = None,
    after_time: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Only what was committed after it: ISO 8601; backwards: by then.",
        ),
    ] = None,
    backwards: Annotated[bool, typer.Option("--backwards", help="Newest first.")] = False,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many.")] = None,
    following: Annotated[
        bool,
        typer.Option(
            "--follow",
            "-f",
            help="Then wait for more, until Ctrl-C. Takes up again where it was when the "
            "connection breaks, and says so on stderr.",
        ),
    ] = False,
    as_stored: Annotated[
        bool,
        typer.Option(
            "--as-stored", help="As they were written, not in the version of the server's code."
        ),
    ] = False,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Prints events, one a line, in their order.

    With --json each line is an object with position, aggregate_type, aggregate_id, version,
    event_id, event_type, schema_version, data, commit_time, occurred_at, command_id,
    correlation_id, causation_id, principal, traceparent, metadata, more_in_command and part.
    """
    if following and backwards:
        raise Failure(ExitCode.BAD_INPUT, "--follow goes forwards; leave --backwards out")
    if after is not None and after_time is not None:
        raise Failure(ExitCode.BAD_INPUT, "only one of --after and --after-time")
    begin = after if after_time is None else parse_time(after_time, "--after-time")
    selection = Selection.of(aggregate, event_types or (), begin, as_stored)

    async def work(client: Client) -> None:
        await remark(client, selection)
        left = limit
        if following:
            source = follow(client, selection)
        else:
            source = selection.batches(selection.reading(client, backwards=backwards))
        async with aclosing(source) as batches:
            async for batch in batches:
                shown = batch if left is None else batch[:left]
                (_print_json if as_json else _print_text)(shown)
                if left is not None:
                    left -= len(shown)
                    if left == 0:
                        return

    ask(server, timeout_s, work)


def _print_json(batch: Iterable[Event]) -> None:
    print_lines(msgspec.json.encode(plain_event(event)) for event in batch)


def _print_text(batch: Iterable[Event]) -> None:
    screen = console()
    if not screen.is_terminal:  # rich takes 100 us a line, which a file of a million feels
        print_lines("  ".join(text for text, _ in _columns(event)).encode() for event in batch)
        return
    for event in batch:
        screen.print(Text("  ").join(Text(text, style) for text, style in _columns(event)))


def plain_event(event: Event) -> dict[str, object]:
    """As JSON."""
    return {
        "position": event.position,
        "aggregate_type": event.aggregate_type,
        "aggregate_id": event.aggregate_id,
        "version": event.version,
        "event_id": event.event_id,
        "event_type": event.event_type,
        "schema_version": event.schema_version,
        "data": msgspec.Raw(one_line(event.data)),
        "commit_time": event.commit_time,
        "occurred_at": event.occurred_at,
        "command_id": event.command_id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "principal": event.principal,
        "traceparent": event.traceparent,
        "metadata": dict(event.metadata),
        "more_in_command": event.more_in_command,
        "part": event.part,
    }


def _columns(event: Event) -> list[tuple[str, str]]:
    return [
        (f"{event.position:>7}", "bold"),
        (f"{event.commit_time:%Y-%m-%d %H:%M:%S.%f}Z", "dim"),
        (printable(f"{event.aggregate_type}/{event.aggregate_id}"), "cyan"),
        (f"v{event.version}", "dim"),
        (printable(event.event_type), "green"),
        (printable(one_line(event.data).decode()), ""),
    ]
