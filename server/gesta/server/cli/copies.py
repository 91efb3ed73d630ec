"""`gesta backup`, `restore` and `verify`: copies of a log, and whether they are whole."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure, of_log
from gesta.server.cli.options import AsJson
from gesta.server.cli.output import print_answer, print_line, printable
from gesta.server.cli.progress import progress_by_part
from gesta.store.copying import back_up
from gesta.store.copying import restore as put_back
from gesta.store.port import LogInfo, StoreError
from gesta.store.verify import Finding
from gesta.store.verify import verify as findings_of

FINDINGS_MAX = 1_000
"""A damaged disk can spoil every event; more would say nothing new."""

Unverified = Annotated[
    bool,
    typer.Option("--no-verify", help="Do not read and check the whole copy, damaged as it may be."),
]


def backup(
    to: Annotated[
        Path, typer.Argument(metavar="FILE", help="The copy; there must be nothing there yet.")
    ],
    *,
    data: Annotated[Path, typer.Option(metavar="DIR", help="The log's directory.")],
    no_verify: Unverified = False,
    as_json: AsJson = False,
) -> None:
    """Copies a log to one file while its server goes on.

    The copy has what was committed when it was begun. It gets its name once every event in it was
    read and found whole, and it is on the disk.
    """
    with _told(), progress_by_part() as moved:
        info = back_up(data, to, verified=not no_verify, on_progress=moved)
    print_answer(_plain(info) | {"bytes": to.stat().st_size}, as_json=as_json)


def restore(
    source: Annotated[
        Path, typer.Argument(metavar="FILE", help="The copy of the log. It stays as it is.")
    ],
    *,
    data: Annotated[
        Path, typer.Option(metavar="DIR", help="The directory that is to have it, and has no log.")
    ],
    replacing: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="What is left of the log that it takes the place of, if it was restored before.",
        ),
    ] = None,
    no_verify: Unverified = False,
    as_json: AsJson = False,
) -> None:
    """Puts a copy in the place of a log that is lost, and begins a new life of it.

    Readers and projections that have seen more than the copy has are told so when they come back,
    instead of passing over what is written now. Nothing is ever overwritten: a log that is in DIR
    has to be moved away first.
    """
    with _told(), progress_by_part() as moved:
        info = put_back(source, data, replaced=replacing, verified=not no_verify, on_progress=moved)
    print_answer(_plain(info), as_json=as_json)


def verify(
    log: Annotated[
        Path, typer.Argument(metavar="PATH", help="A copy, or the directory of a stopped server.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Reads a whole log and tells all that is wrong with it; ends with 8 if anything is.

    Every row is held against its checksum and its neighbours, and indexes against their tables. The
    log is not changed. What it says of the log does not depend on the code that is served.
    """
    with _told(), progress_by_part() as moved:
        found = list(islice(findings_of(log, moved), FINDINGS_MAX + 1))
    listed = found[:FINDINGS_MAX]
    if as_json:
        answer = {"well": not found, "findings": [each._asdict() for each in listed]}
        print_answer(answer | {"more": len(found) > FINDINGS_MAX}, as_json=True)
    else:
        for line in map(_line, listed):
            print_line(line)
    if found:
        most = "more than " if len(found) > FINDINGS_MAX else ""
        raise Failure(ExitCode.DATA_LOSS, f"{most}{len(listed):,} findings: the log is damaged")
    if not as_json:
        print_line("all is well")


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong, as an ending."""
    try:
        yield
    except FileExistsError as error:
        raise Failure(ExitCode.BAD_INPUT, f"{error}; nothing is overwritten") from None
    except StoreError as error:
        raise of_log(error) from None


def _plain(info: LogInfo) -> dict[str, object]:
    return {
        "log_id": info.log_id.hex(),
        "incarnation": info.incarnations[-1].number,
        "position": info.head,
    }


def _line(found: Finding) -> str:
    where = f"{found.subject}, position {found.position}" if found.position else found.subject
    return printable(f"{where}: {found.detail}")
