"""`gesta types` and `gesta info`: what a server hosts, and what it is."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

import typer
from rich.text import Text

from gesta.client import AggregateTypeDescription, Client
from gesta.client.descriptions import EventDescription
from gesta.server.cli.arguments import Schema, resolved
from gesta.server.cli.asking import ask
from gesta.server.cli.options import SERVER_DEFAULT, TIMEOUT_S_DEFAULT, AsJson, Server, Timeout
from gesta.server.cli.output import console, plain, print_answer, say


def types(
    aggregate_type: Annotated[
        str | None, typer.Argument(metavar="TYPE", help="Only this one.", show_default=False)
    ] = None,
    *,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Lists the aggregate types that are hosted.

    And what they understand: commands, queries, events, reasons for a refusal. With --json all
    schemas too, as JSON Schema.
    """

    async def work(client: Client) -> None:
        found = await client.describe(aggregate_type)
        if as_json:
            print_answer({"aggregate_types": [_plain_type(each) for each in found]}, as_json=True)
            return
        for described in found:
            for line in _lines(described):
                console().print(line)
        if not found:
            say("no aggregates are hosted: a pure event store, which takes events of any type")

    ask(server, timeout_s, work)


def info(
    *,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows what the server is, and what it allows."""

    async def work(client: Client) -> None:
        found = await client.info()
        answer = found._asdict() | {"log_id": str(found.log_id), "limits": found.limits._asdict()}
        print_answer(answer, as_json=as_json)

    ask(server, timeout_s, work)


def _plain_type(described: AggregateTypeDescription) -> dict[str, object]:
    return described._asdict() | {
        name: [each._asdict() for each in getattr(described, name)]
        for name in ("commands", "queries", "events", "retired_events")
    }


def _lines(described: AggregateTypeDescription) -> Iterator[Text]:
    yield _line("", described.name, described.description, "bold")
    for command in described.commands:
        signature = f"{command.name}({_parameters(command.arguments_schema)})"
        yield _line("  command ", signature, command.description, "cyan")
    for query in described.queries:
        signature = f"{query.name}({_parameters(query.arguments_schema)})"
        yield _line("  query   ", signature, query.description, "cyan")
    for event in described.events:
        signature = f"{event.event_type}({_parameters(event.schema)})"
        yield _line("  event   ", signature + _versions(event), event.description, "cyan")
    for retired in described.retired_events:
        read_as = ", ".join(retired.read_as) or "nothing"
        signature = f"{retired.event_type} {_numbers(retired.schema_versions)}"
        yield _line("  retired ", signature, f"read as {read_as}", "cyan")
    yield from (Text(f"  refuses {reason}") for reason in _rejections(described))


def _line(label: str, name: str, description: str, style: str) -> Text:
    first = description.partition("\n")[0]
    return Text.assemble((label, "dim"), (name, style), f"  {first}" if first else "")


def _versions(event: EventDescription) -> str:
    """Where there has been more than one: the one that is written, and those that are read."""
    if event.schema_version == 1:
        return ""
    older = f" (reads {_numbers(event.older_versions)})" if event.older_versions else ""
    return f"  v{event.schema_version}{older}"


def _numbers(versions: Iterable[int]) -> str:
    return ", ".join(f"v{version}" for version in versions)


def _rejections(described: AggregateTypeDescription) -> list[str]:
    return sorted({reason for command in described.commands for reason in command.rejections})


def _parameters(schema: Schema) -> str:
    """As a signature: `amount: integer, booked_on?: date | null`; a `?` may be left out."""
    definitions = schema.get("$defs", {})
    fields = resolved(schema, definitions)
    required = fields.get("required", ())
    return ", ".join(
        f"{name}{'' if name in required else '?'}: {_kind(each, definitions)}"
        for name, each in fields.get("properties", {}).items()
    )


def _kind(schema: Mapping[str, Any], definitions: Mapping[str, Schema]) -> str:
    if "$ref" in schema:
        found = resolved(schema, definitions)
        return " | ".join(map(plain, found["enum"])) if "enum" in found else str(found["title"])
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(_kind(each, definitions) for each in schema[key])
    if "enum" in schema:
        return " | ".join(map(plain, schema["enum"]))
    if schema.get("type") == "array" and isinstance(schema.get("items"), Mapping):
        return f"[{_kind(schema['items'], definitions)}]"
    return str(schema.get("format") or schema.get("type") or "any")
