"""`gesta verify-replay`: a log through the code that is to serve it next."""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from gesta.engine.findings import (
    AggregateTypeReport,
    EventTypeReport,
    Failed,
    Reading,
    Report,
)
from gesta.engine.verification import Verification
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure, of_log
from gesta.server.cli.hosting import load_catalog
from gesta.server.cli.options import AsJson
from gesta.server.cli.output import console, print_answer, printable
from gesta.server.cli.progress import progress
from gesta.store.offline import OfflineLog, offline
from gesta.store.port import StoreError
from gesta.store.snapshots_offline import offline_snapshots


def verify_replay(
    target: Annotated[
        str, typer.Argument(metavar="TARGET", help="The aggregates, as `serve` takes them.")
    ],
    *,
    data: Annotated[Path, typer.Option(metavar="DIR", help="The log's directory.")],
    debug: Annotated[
        bool, typer.Option("--debug", help="Show tracebacks of the code in TARGET.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Runs every stored event through the code in TARGET, before it is deployed.

    Each is read as a server would read it and folded, and each aggregate's state is encoded. Each
    snapshot that a server would begin at is compared with the fold up to it. What would fail is
    counted by aggregate type, event type and version, with the first of each; ends with 9 if
    anything would. Events of aggregate types that TARGET does not host are counted.

    For a log that no server has open. The log is not changed.
    """
    # What the author's code prints must not come between the lines of the answer.
    with contextlib.redirect_stdout(sys.stderr):
        catalog = load_catalog(target, debug=debug)
        try:
            with offline(data) as connection:
                log = OfflineLog(connection)
                with (
                    offline_snapshots(data, log.info) as kept,
                    progress("events", log.head) as moved,
                ):
                    report = Verification(catalog, log, kept_of=kept.of, on_progress=moved).run()
        except StoreError as error:
            raise of_log(error) from None
    if as_json:
        print_answer(_plain(report, kept.trouble), as_json=True)
    else:
        for line in _lines(report, kept.trouble):
            console().print(line)
    if not report.is_well:
        raise Failure(ExitCode.REPLAY_FAILS, "this code cannot take the log over")


def _plain(report: Report, no_snapshots: str | None) -> dict[str, object]:
    return {"well": report.is_well, **asdict(report), "snapshots_not_read": no_snapshots}


def _lines(report: Report, no_snapshots: str | None) -> Iterator[Text]:
    for of_type in report.aggregate_types:
        yield from _of_type(of_type)
    if no_snapshots is not None:
        yield Text(f"snapshots were not read: {printable(no_snapshots)}", "yellow")
    streams = sum(each.streams for each in report.aggregate_types)
    failing = sum(each.streams_failing for each in report.aggregate_types)
    told = f"{_count(failing, 'aggregate')} would fail" if failing else "all is well"
    counts = f"{_count(streams, 'aggregate')}, {_count(report.head, 'event')}"
    yield Text(f"{counts}: {told}", "bold")


def _of_type(report: AggregateTypeReport) -> Iterator[Text]:
    counts = f"  {_count(report.streams, 'aggregate')}, {_count(report.events, 'event')}"
    if report.snapshots:
        counts += f", {_count(report.snapshots, 'snapshot')}"
    yield Text.assemble(
        (printable(report.aggregate_type), "bold"),
        counts if report.hosted else counts + ", not hosted",
        _failing(report.streams_failing, "aggregate"),
    )
    for each in report.event_types:
        yield from _of_event(each)
    told = [each.first_failure for each in report.event_types]
    if report.first_failure is not None and report.first_failure not in told:
        yield _first(report.first_failure)


def _of_event(report: EventTypeReport) -> Iterator[Text]:
    yield Text.assemble(
        (f"  {printable(report.event_type)} v{report.schema_version}", "green"),
        f"  {_count(report.events, 'event')}",
        "" if report.reading is Reading.CURRENT else f", {report.reading}",
        _failing(report.events_failing, "event"),
    )
    if report.first_failure is not None:
        yield _first(report.first_failure)


def _failing(count: int, what: str) -> tuple[str, str]:
    return (f", {_count(count, what)} failing" if count else "", "red")


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


def _first(failed: Failed) -> Text:
    where = f"{failed.aggregate_id} v{failed.version} at position {failed.position}"
    return Text.assemble(f"    first {printable(where)}: ", (printable(failed.error), "red"))
