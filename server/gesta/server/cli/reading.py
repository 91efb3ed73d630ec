"""`gesta query` and `gesta state`: one aggregate, as it stands or stood."""

from typing import Annotated

import typer

from gesta.client import Client, Moment
from gesta.server.cli.arguments import needs_schema, parse_arguments, parse_time
from gesta.server.cli.asking import ask, find_schema
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
from gesta.server.cli.output import print_answer


def query(
    aggregate_type: AggregateType,
    aggregate_id: AggregateId,
    name: Annotated[str, typer.Argument(metavar="QUERY", help="Its name.")],
    words: Words = None,
    *,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Asks an aggregate one of its queries. Arguments are written as for execute."""
    given = words or []

    async def work(client: Client) -> None:
        schema = None
        if needs_schema(given):
            schema = await find_schema(client, aggregate_type, name)
        arguments = parse_arguments(given, schema)
        reply = await client.query(aggregate_type, aggregate_id, name, arguments)
        print_answer({"reply": reply}, as_json=as_json)

    ask(server, timeout_s, work)


def state(
    aggregate_type: AggregateType,
    aggregate_id: AggregateId,
    *,
    version: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, max=INT64_MAX, help="As it stood at this version."),
    ] = None,
    position: Annotated[
        int | None,
        typer.Option(metavar="P", min=0, max=INT64_MAX, help="As it stood at this position."),
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As it stood then: ISO 8601, 2026-11-24T10:00:00Z say."),
    ] = None,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows an aggregate's state and version, now or at a moment in the past.

    And the position, with its token, of the last event in the log that the answer rests on. A time
    without a zone is one of this machine.
    """
    moment = _moment(version, position, at)

    async def work(client: Client) -> None:
        found = await client.state(aggregate_type, aggregate_id, **moment)
        print_answer(
            {
                "state": found.state,
                "version": found.version,
                "position": found.position,
                "token": found.token,
            },
            as_json=as_json,
        )

    ask(server, timeout_s, work)


def _moment(version: int | None, position: int | None, at: str | None) -> Moment:
    if sum(each is not None for each in (version, position, at)) > 1:
        raise Failure(ExitCode.BAD_INPUT, "only one of --version, --position and --at")
    moment = Moment()
    if version is not None:
        moment["at_version"] = version
    if position is not None:
        moment["at_position"] = position
    if at is not None:
        moment["at_time"] = parse_time(at, "--at")
    return moment
