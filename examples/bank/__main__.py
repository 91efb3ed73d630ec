"""`python -m examples.bank demo`, `replay FILE` and `accounts --db URL`."""

import asyncio
import json
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar, cast

import typer
from examples.bank.berka import FormatError, czk, read_accounts
from examples.bank.demo import run_demo
from examples.bank.local_server import StartError
from examples.bank.replay import AccountReport, AccountTakenError, Rules, run_replay
from rich.console import Console
from rich.table import Table

from gesta.client import GestaError

# As those of `gesta` itself, so far as it has them.
EXIT_DIFFERENT = 1  # the figures are not what they must be
EXIT_BAD_INPUT = 2
EXIT_FAILED = 6  # the server could not be started, reached or used
EXIT_INTERRUPTED = 130

EXPECTED = (StartError, AccountTakenError, GestaError)  # with a text that says it all

T = TypeVar("T")
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)
app = typer.Typer(
    help="The example bank at work.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def demo(
    commands: Annotated[int, typer.Option(min=1, max=5_000_000, help="How many.")] = 200_000,
) -> None:
    """A server under load, a live subscriber, and the proof that both agree with the log."""
    if not _run(run_demo(commands, out, err)):
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def replay(
    file: Annotated[Path, typer.Argument(help="Transactions in the Berka format: .csv, .csv.gz")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    no_overdraft: Annotated[
        bool,
        typer.Option(
            "--no-overdraft",
            help="No account may be overdrawn by a withdrawal. A row that is refused is skipped, "
            "and later rows are compared as if the bank had skipped it too.",
        ),
    ] = False,
    no_rounding: Annotated[
        bool,
        typer.Option(
            "--no-rounding",
            help="Leave the bank's own rounding out, and count as mismatches the rows that change "
            "the balance by over 0.10 CZK more or less than they did at the bank.",
        ),
    ] = False,
    server: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Where the bank is served; else by one of its own."),
    ] = None,
) -> None:
    """Replays recorded transactions and compares the balance after every row with the bank's.

    Ends with 1 where a balance differs. Repeating a replay against the same server is harmless.
    """
    try:
        accounts = read_accounts(file)
    except FormatError as problem:
        _fail(f"{file}: {problem}", EXIT_BAD_INPUT)
    except OSError as problem:
        _fail(f"{file}: {problem.strerror or problem}", EXIT_BAD_INPUT)
    rules = Rules(overdraft=not no_overdraft, rounding=not no_rounding)
    reports = _run(run_replay(accounts, rules, server, err))
    (_print_json if as_json else _print_table)(reports)
    if any(report.mismatches for report in reports):
        raise typer.Exit(EXIT_DIFFERENT)


@app.command()
def accounts(
    database: Annotated[
        str, typer.Option("--db", metavar="URL", help="Where examples.bank:Accounts is projected.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> None:
    """Shows every account as the projection has it; nothing is asked of the server."""
    try:
        from examples.bank.accounts import accounts_in

        from gesta.projection import BadDatabase, DatabaseFailed
    except ImportError as missing:
        _fail(str(missing), EXIT_BAD_INPUT)

    async def read() -> list[AccountReport]:
        async with accounts_in(database) as reader:
            return [
                AccountReport(
                    each.account_id,
                    balance=each.balance,
                    transaction_count=each.transaction_count,
                    last_activity=each.last_activity,
                )
                for each in await reader.get_all_accounts()
            ]

    try:
        reports = _run(read())
    except (BadDatabase, DatabaseFailed) as problem:
        _fail(str(problem), EXIT_BAD_INPUT)
    if as_json:
        json.dump({"accounts": _accounts(reports)}, sys.stdout, indent=2)
        print()
    else:
        out.print(_table(reports))


def _print_json(reports: list[AccountReport]) -> None:
    json.dump({**_totals(reports), "accounts": _accounts(reports)}, sys.stdout, indent=2)
    print()


def _accounts(reports: list[AccountReport]) -> list[dict[str, object]]:
    return [
        {
            "account_id": report.account_id,
            "balance": czk(report.balance),
            "transaction_count": report.transaction_count,
            "last_activity": report.last_activity and report.last_activity.isoformat(),
        }
        for report in reports
    ]


def _print_table(reports: list[AccountReport]) -> None:
    out.print(_table(reports))
    totals = _totals(reports) | {"accounts": len(reports)}
    out.print("\n" + ", ".join(f"{figure:,} {name}" for name, figure in totals.items()))


def _table(reports: list[AccountReport]) -> Table:
    table = Table("account", "balance", "transactions", "last activity", box=None, pad_edge=False)
    for column in table.columns[1:3]:
        column.justify = "right"
    for report in reports:
        day = report.last_activity or "never"
        table.add_row(
            report.account_id, czk(report.balance), str(report.transaction_count), str(day)
        )
    return table


def _totals(reports: list[AccountReport]) -> dict[str, int]:
    return {
        "rows": sum(report.rows for report in reports),
        "refused": sum(report.refused for report in reports),
        "mismatches": sum(report.mismatches for report in reports),
    }


def _run(work: Coroutine[None, None, T]) -> T:
    """Runs to the end, or until Ctrl-C or SIGTERM; either way what was started is stopped."""

    async def until_stopped() -> T:
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        return await work

    try:
        return asyncio.run(until_stopped())
    except (KeyboardInterrupt, asyncio.CancelledError):
        _fail("stopped", EXIT_INTERRUPTED)
    except Exception as error:
        first = _first(error)
        if isinstance(first, EXPECTED):
            _fail(str(first), EXIT_FAILED)
        raise  # a bug keeps its traceback


def _first(error: Exception) -> Exception:
    """The error itself; of many tasks that failed, the first one's: mostly all say the same."""
    while isinstance(error, ExceptionGroup):
        error = cast("ExceptionGroup[Exception]", error).exceptions[0]
    return error


def _fail(message: str, code: int) -> NoReturn:
    err.print(message, markup=False)
    raise typer.Exit(code)


if __name__ == "__main__":
    app(prog_name="python -m examples.bank")
