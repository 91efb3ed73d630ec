"""`gesta query` and `gesta state`: one aggregate, as it stands."""

from typing import Annotated

import typer

from gesta.client import Client
from gesta.server.cli.arguments import needs_schema, parse_arguments
from gesta.server.cli.asking import ask, find_schema
from gesta.server.cli.options import (
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
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Shows an aggregate's state and version.

    And the position, with its token, of the last event in the log that they rest on.
    """

    async def work(client: Client) -> None:
        found = await client.state(aggregate_type, aggregate_id)
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
