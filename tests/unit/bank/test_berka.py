"""The reader of Berka files: what it makes of a row, and what it says of a file that is none."""

import gzip
from datetime import date
from pathlib import Path

import pytest
from examples.bank.berka import FormatError, Row, czk, read_accounts

HEADING = "source,account_id,seq,date,trans_id,command,amount,balance,rounding"
FIRST = "prefix,15,1,1993-10-02,3505,OpenAccount,800.00,800.00,0.00"
SECOND = "prefix,15,2,1993-10-06,3515,Withdraw,900.1,-100.00,0.10"
OTHER = "prefix,7,1,1993-10-03,1,OpenAccount,1,1,-0.10"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "transactions.csv"


def test_amounts_are_read_as_hellers_and_rows_by_account(file: Path) -> None:
    file.write_text("\n".join([HEADING, FIRST, OTHER, SECOND]))
    assert read_accounts(file) == {
        "15": [
            Row("prefix", "15", 1, date(1993, 10, 2), "OpenAccount", 80000, 80000, 0),
            Row("prefix", "15", 2, date(1993, 10, 6), "Withdraw", 90010, -10000, 10),
        ],
        "7": [Row("prefix", "7", 1, date(1993, 10, 3), "OpenAccount", 100, 100, -10)],
    }


def test_a_compressed_file_reads_the_same(file: Path) -> None:
    text = "\n".join([HEADING, FIRST, SECOND])
    file.write_text(text)
    compressed = file.with_suffix(".csv.gz")
    compressed.write_bytes(gzip.compress(text.encode()))
    assert read_accounts(file) == read_accounts(compressed)


@pytest.mark.parametrize(
    ("lines", "line", "problem"),
    [
        ([], 1, "there is no column 'source'"),
        (["source,account_id"], 1, "there is no column 'seq'"),
        ([HEADING, FIRST.replace("OpenAccount", "Rob")], 2, "there is no command 'Rob'"),
        ([HEADING, FIRST, SECOND.replace("900.1", "9e2")], 3, "'9e2' is not an amount in CZK"),
        ([HEADING, FIRST.replace("0.00", "0.001")], 2, "'800.001' is not an amount in CZK"),
        ([HEADING, FIRST.replace("1993-10-02", "someday")], 2, "Invalid isoformat string"),
        ([HEADING, "prefix,15"], 2, "there is no command ''"),
        ([HEADING, SECOND, FIRST], 3, "account 15: seq 1 is out of order"),
        ([HEADING, FIRST, FIRST], 3, "account 15: seq 1 is out of order"),
        ([HEADING, FIRST, SECOND.replace("prefix", "other")], 3, "account 15: source 'other'"),
    ],
)
def test_a_file_that_is_not_in_the_format_is_refused_by_its_line(
    file: Path, lines: list[str], line: int, problem: str
) -> None:
    file.write_text("\n".join(lines))
    with pytest.raises(FormatError) as refused:
        read_accounts(file)
    assert refused.value.line == line
    assert problem in refused.value.problem


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"source,account_id\n\x00\xff"])
def test_a_file_that_is_not_text_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(FormatError):
        read_accounts(file)


def test_a_compressed_file_that_ends_too_early_is_refused(file: Path) -> None:
    compressed = file.with_suffix(".csv.gz")
    compressed.write_bytes(gzip.compress("\n".join([HEADING, FIRST]).encode())[:-12])
    with pytest.raises(FormatError):
        read_accounts(compressed)


@pytest.mark.parametrize(
    ("hellers", "text"),
    [(4797810, "47978.10"), (0, "0.00"), (-5, "-0.05"), (-1703040, "-17030.40")],
)
def test_hellers_are_written_as_decimal_crowns(hellers: int, text: str) -> None:
    assert text == czk(hellers)
