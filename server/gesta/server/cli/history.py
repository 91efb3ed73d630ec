"""`gesta history` and `gesta diff`: what happened to one aggregate, and what it changed."""

from collections.abc import Iterator, Mapping
from contextlib import aclosing
from typing import Annotated, Any, NamedTuple

import msgspec
import typer
from rich.text import Text

from gesta.client import Change, Client
from gesta.server.cli.asking import ask
from gesta.server.cli.options import (
    INT64_MAX,
    SERVER_DEFAULT,
    TIMEOUT_S_DEFAULT,
    AggregateId,
    AggregateType,
    AsJson,
    Server,
    Timeout,
)
from gesta.server.cli.output import console, one_line, plain, print_answer, print_lines, printable

_Version = Annotated[int, typer.Argument(metavar="VERSION", min=1, max=INT64_MAX)]


class Difference(NamedTuple):
    """A place in a state, and what stands there on both sides; None also where nothing does."""

    path: str
    before: Any
    after: Any


def history(
    aggregate_type: AggregateType,
    aggregate_id: AggregateId,
    *,
    after: Annotated[
        int, typer.Option(metavar="VERSION", min=0, max=INT64_MAX, help="Begin behind it.")
    ] = 0,
    limit: Annotated[int | None, typer.Option(metavar="N", min=1, help="At most so many.")] = None,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows what happened to an aggregate: version, time, event, who, by which command, and what
    it changed in the state."""

    async def work(client: Client) -> None:
        changes = client.history(
            aggregate_type, aggregate_id, after_version=after, limit=limit or 0
        )
        async with aclosing(changes):
            async for change in changes:
                if as_json:
                    print_lines([msgspec.json.encode(_plain(change))])
                else:
                    for line in _lines(change):
                        console().print(line)

    ask(server, timeout_s, work)


def diff(
    aggregate_type: AggregateType,
    aggregate_id: AggregateId,
    version1: _Version,
    version2: _Version,
    *,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows where an aggregate's state differs between two versions. Prints nothing if nowhere."""

    async def work(client: Client) -> None:
        one = await client.state(aggregate_type, aggregate_id, at_version=version1)
        two = await client.state(aggregate_type, aggregate_id, at_version=version2)
        found = list(differences(one.state, two.state))
        if as_json:
            print_answer({"changes": [each._asdict() for each in found]}, as_json=True)
        for line in [] if as_json else map(_line, found):
            console().print(line)

    ask(server, timeout_s, work)


def differences(before: Any, after: Any, path: str = "") -> Iterator[Difference]:
    """Place by place, objects and lists inside out, in the order of `after`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in [*after, *(key for key in before if key not in after)]:
            below = f"{path}.{key}" if path else str(key)
            yield from differences(before.get(key), after.get(key), below)
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else None
            other = after[index] if index < len(after) else None
            yield from differences(one, other, f"{path}[{index}]")
    elif type(before) is not type(after) or before != after:
        yield Difference(path, before, after)


def _plain(change: Change[Any]) -> dict[str, object]:
    event = change.event
    return {
        "version": event.version,
        "position": event.position,
        "time": event.commit_time,
        "event_type": event.event_type,
        "schema_version": event.schema_version,
        "data": msgspec.Raw(one_line(event.data)),
        "changes": [each._asdict() for each in differences(change.before, change.after)],
        "principal": event.principal,
        "command_id": event.command_id,
        "correlation_id": event.correlation_id,
        "causation_id": event.causation_id,
        "metadata": dict(event.metadata),
    }


def _lines(change: Change[Any]) -> Iterator[Text]:
    event = change.event
    user = event.metadata.get("user_id")
    yield Text.assemble(
        (f"v{event.version}", "dim"),
        f"  {event.commit_time:%Y-%m-%d %H:%M:%S.%f}Z  ",
        (printable(event.event_type), "green"),
        f"  {printable(one_line(event.data).decode())}",
        (f"  by {printable(user or event.principal)}", "cyan"),
        (f"  command {event.command_id}", "dim"),
    )
    for each in differences(change.before, change.after):
        yield Text("    ").append_text(_line(each))


def _line(difference: Difference) -> Text:
    path, before, after = difference
    return Text.assemble(
        (printable(path), "bold"), "  ", (plain(before), "red"), " → ", (plain(after), "green")
    )
