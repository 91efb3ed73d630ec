"""Names of types that a server does not know: a slip more often than an answer without events."""

from collections.abc import Collection
from difflib import get_close_matches

from gesta.client import Client
from gesta.server.cli.output import say
from gesta.server.cli.selection import Selection


async def remark(client: Client, selection: Selection) -> None:
    """Say on stderr which names are not known, and what may have been meant. Whoever appended
    events without a command may have used them all the same, so it is no failure; and a server
    that hosts nothing knows no names."""
    if selection.aggregate_type is None and not selection.event_types:
        return
    described = await client.describe()
    if not described:
        return
    if selection.aggregate_type is not None:
        _remark("aggregate", selection.aggregate_type, {each.name for each in described})
    events = {event.event_type for each in described for event in each.events}
    events |= {event.event_type for each in described for event in each.retired_events}
    for name in selection.event_types:
        _remark("event", name, events)


def _remark(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        close = get_close_matches(name, sorted(known), n=1)
        meant = f"; is it {close[0]}?" if close else ""
        say(f"gesta: the server knows no {kind} type {name!r}{meant}")
