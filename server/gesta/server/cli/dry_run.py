"""`gesta execute --dry-run`: what a command would do."""

from collections.abc import Mapping
from typing import Any

from gesta.client import Client, Outlook
from gesta.server.cli.output import print_answer


async def foresee(
    client: Client,
    aggregate_type: str,
    aggregate_id: str,
    command: str,
    arguments: Mapping[str, object],
    *,
    at_version: int | None,
    as_json: bool,
) -> None:
    """Prints it. A refusal is what was asked for, like any other answer, and no failure."""
    outlook = await client.dry_run(
        aggregate_type, aggregate_id, command, arguments, at_version=at_version
    )
    print_answer(_plain(outlook), as_json=as_json)


def _plain(outlook: Outlook[Any, Any]) -> dict[str, object]:
    refusal = outlook.refusal
    return {
        "events": [
            {
                "event_type": each.event_type,
                "schema_version": each.schema_version,
                "data": each.payload,
            }
            for each in outlook.events
        ],
        "reply": outlook.reply,
        "refusal": None
        if refusal is None
        else {
            "reason": refusal.reason,
            "message": refusal.message,
            "details": dict(refusal.details),
        },
        "state": outlook.state,
        "version": outlook.version,
        "position": outlook.position,
        "token": outlook.token,
    }
