"""`gesta projections`: how far those have come that report to the server."""

from collections.abc import Sequence

from rich.text import Text

from gesta.client import Client, ProjectionReport
from gesta.server.cli.asking import ask
from gesta.server.cli.options import SERVER_DEFAULT, TIMEOUT_S_DEFAULT, AsJson, Server, Timeout
from gesta.server.cli.output import console, print_answer, printable, say


def projections(
    *,
    as_json: AsJson = False,
    server: Server = SERVER_DEFAULT,
    timeout_s: Timeout = TIMEOUT_S_DEFAULT,
) -> None:
    """Lists the projections that have reported since the server started.

    A silent one has not been heard lately: it has stopped, or cannot reach the server.
    """

    async def work(client: Client) -> None:
        found = await client.list_projections()
        if as_json:
            print_answer({"projections": [_plain(each) for each in found]}, as_json=True)
            return
        for line in _lines(found):
            console().print(line)
        if not found:
            say("no projection has reported since the server started")

    ask(server, timeout_s, work)


def _plain(report: ProjectionReport) -> dict[str, object]:
    return {
        "name": report.name,
        "position": report.position,
        "head": report.position + report.lag_events,
        "lag_events": report.lag_events,
        "lag_seconds": report.lag_seconds,
        "silent": report.silent,
        "reported_at": report.reported_at,
        "session": str(report.session),
    }


def _lines(found: Sequence[ProjectionReport]) -> list[Text]:
    width = max((len(printable(each.name)) for each in found), default=0)
    return [
        Text.assemble(
            (f"{printable(each.name):<{width}}", "bold"),
            f"  at {each.position}, {each.lag_events} events and {each.lag_seconds:.1f} s behind",
            ("  silent since ", "red") if each.silent else ("  heard at ", "dim"),
            f"{each.reported_at:%Y-%m-%d %H:%M:%S} UTC",
        )
        for each in found
    ]
