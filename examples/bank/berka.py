"""Reads transactions in the format of the Berka data: a CSV file, or one compressed with gzip.

Money in the file is decimal CZK with at most two digits after the point; here it is hellers. A
file that is not in the format ends in a FormatError that names the line.
"""

import csv
import gzip
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

COMMANDS = (
    "OpenAccount",
    "Deposit",
    "Withdraw",
    "CreditInterest",
    "ChargeFee",
    "ChargeSanctionInterest",
)
COLUMNS = ("source", "account_id", "seq", "date", "command", "amount", "balance", "rounding")


class FormatError(Exception):
    """The file is not in the Berka format. `line` counts from 1; the heading is line 1."""

    def __init__(self, line: int, problem: str) -> None:
        super().__init__(f"line {line}: {problem}")
        self.line = line
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Row:
    """One transaction as the bank recorded it."""

    source: str
    account_id: str
    seq: int  # its place among the account's rows
    booked_on: date
    command: str  # one of COMMANDS
    amount: int
    balance: int  # the bank's own, after the row
    rounding: int  # what the bank's finer digits added to the balance

    @property
    def name(self) -> str:
        """Stands for the row, in this and every other run."""
        return f"{self.source}/{self.account_id}/{self.seq}"


def read_accounts(path: Path) -> dict[str, list[Row]]:
    """Returns each account's rows in the order of their seq. Raises FormatError, OSError."""
    accounts: dict[str, list[Row]] = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as lines:
        for line, row in _rows(lines):
            rows = accounts.setdefault(row.account_id, [])
            if rows and row.source != rows[0].source:
                raise FormatError(line, f"account {row.account_id}: source {row.source!r} as well")
            if rows and row.seq <= rows[-1].seq:
                raise FormatError(line, f"account {row.account_id}: seq {row.seq} is out of order")
            rows.append(row)
    return accounts


def czk(hellers: int) -> str:
    """Returns an amount as people write it: 4797810 is "47978.10"."""
    whole, rest = divmod(abs(hellers), 100)
    return f"{'-' if hellers < 0 else ''}{whole}.{rest:02}"


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, Row]]:
    reader = csv.DictReader(lines, strict=True)
    try:
        missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
        if missing:
            raise FormatError(1, f"there is no column {missing[0]!r}")
        for fields in reader:
            yield reader.line_num, _row(fields)
    except (ValueError, csv.Error, EOFError, zlib.error) as problem:
        raise FormatError(max(1, reader.line_num), str(problem)) from problem


def _row(fields: dict[str, str | None]) -> Row:
    source, account_id, seq, day, command, *amounts = (fields[column] or "" for column in COLUMNS)
    if command not in COMMANDS:
        raise ValueError(f"there is no command {command!r}")
    amount, balance, rounding = map(_hellers, amounts)
    return Row(
        source, account_id, int(seq), date.fromisoformat(day), command, amount, balance, rounding
    )


def _hellers(text: str) -> int:
    if not re.fullmatch(r"[-+]?\d{1,12}(\.\d{1,2})?", text):
        raise ValueError(f"{text!r} is not an amount in CZK")
    return int(Decimal(text) * 100)
