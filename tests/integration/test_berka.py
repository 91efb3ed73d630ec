"""Real bank transactions through a real server, equal to the bank's own books to the heller.

The data is not part of the project: GESTA_BERKA names its folder, ../shared/data/berka otherwise.
"""

import asyncio
import csv
import json
import os
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from examples.bank import BankAccount
from examples.bank.berka import czk
from examples.bank.local_server import ROOT, local_server

from gesta.client import connect

DATA = Path(os.environ.get("GESTA_BERKA", ROOT / ".." / "shared" / "data" / "berka"))
SLICE = DATA / "slice.csv.gz"
ROWS = 13_842
ACCOUNTS = 282

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SLICE.exists(), reason=f"the Berka slice is not in {DATA}"),
]


@dataclass(frozen=True)
class Books:
    """An account as the bank's books close it, or as we say it stands."""

    balance: str
    transaction_count: int
    last_activity: str


@pytest.fixture(scope="module")
def expected() -> dict[str, Books]:
    with (DATA / "slice_expected.csv").open(encoding="utf-8") as lines:
        return {
            row["account_id"]: Books(
                row["final_balance"], int(row["transaction_count"]), row["last_activity"]
            )
            for row in csv.DictReader(lines)
        }


async def test_the_slice_replays_to_the_banks_own_books_and_stays_so_after_a_restart(
    expected: dict[str, Books], tmp_path: Path
) -> None:
    async with local_server(tmp_path) as address:
        first = await _replay("--server", address)
    assert _totals(first) == (ROWS, 0, 0)
    assert expected == _books(first)
    async with local_server(tmp_path) as address:
        assert expected == await _books_by_state(address, expected)
        assert expected == await _books_by_subscription(address)


async def test_every_state_of_every_account_is_a_fresh_fold_up_to_it(tmp_path: Path) -> None:
    async with local_server(tmp_path) as address, connect(address) as client:
        await _replay("--server", address)
        folds: dict[tuple[str, int], BankAccount] = {}
        async for event in client.read():
            before = folds.get((event.aggregate_id, event.version - 1), BankAccount())
            folds[event.aggregate_id, event.version] = before.evolve(event.decode(BankAccount))
        assert len(folds) >= ROWS  # and those of the roundings
        for (account_id, version), fold in folds.items():
            account = client.aggregate(BankAccount, account_id)
            assert (await account.state(at_version=version)).state == fold
            if version == 1:
                changes = [change async for change in account.history()]
                expected = [folds[account_id, n + 1] for n in range(len(changes))]
                assert [change.after for change in changes] == expected
                assert (account_id, len(changes) + 1) not in folds


async def test_a_replay_repeated_after_a_restart_changes_nothing(tmp_path: Path) -> None:
    async with local_server(tmp_path) as address:
        first = await _replay("--server", address, "--no-overdraft")
        head = await _head(address)
    # The restart forgets the refusals; the accepted commands' answers are kept.
    async with local_server(tmp_path) as address:
        assert first == await _replay("--server", address, "--no-overdraft")
        assert head == await _head(address)


async def test_a_replay_into_accounts_of_another_one_is_refused_and_writes_nothing(
    tmp_path: Path,
) -> None:
    async with local_server(tmp_path) as address:
        await _replay("--server", address)
        head = await _head(address)
        code, out, err = await _run("--server", address, "--no-overdraft")
        assert head == await _head(address)
    assert (code, out) == (6, "")
    assert "holds other transactions already" in err


async def test_without_overdraft_eleven_withdrawals_in_ten_accounts_are_refused(
    expected: dict[str, Books],
) -> None:
    report = await _replay("--no-overdraft")
    assert _totals(report) == (ROWS, 11, 0)
    books = _books(report)
    assert expected.keys() == books.keys()
    fewer = {
        account_id: expected[account_id].transaction_count - books[account_id].transaction_count
        for account_id in expected
        if expected[account_id] != books[account_id]
    }
    assert Counter(fewer.values()) == {1: 9, 2: 1}  # ten accounts; two refusals in one of them


async def test_without_the_rounding_every_rows_change_is_within_a_tenth(
    expected: dict[str, Books],
) -> None:
    report = await _replay("--no-rounding")
    assert _totals(report) == (ROWS, 0, 0)
    assert {a: b.transaction_count for a, b in expected.items()} == {
        a: b.transaction_count for a, b in _books(report).items()
    }


async def test_a_bank_that_disagrees_is_a_mismatch_and_exit_code_1(tmp_path: Path) -> None:
    file = tmp_path / "wrong.csv"
    file.write_text(
        "source,account_id,seq,date,command,amount,balance,rounding\n"
        "x,1,1,1993-10-02,OpenAccount,800.00,800.00,0.00\n"
        "x,1,2,1993-10-03,Deposit,100.00,900.10,0.00\n"  # off by 0.10, and no rounding says so
        "x,1,3,1993-10-04,Deposit,100.00,1000.20,0.00\n"  # off by 0.20 now, by 0.10 in this row
        "x,1,4,1993-10-05,Withdraw,100.00,900.00,0.00\n"  # right again, by 0.20 in this row
    )
    code, out, _ = await _run("--json", file=file)
    assert (code, _totals(json.loads(out))) == (1, (4, 0, 2))
    code, out, _ = await _run("--json", "--no-rounding", file=file)
    assert (code, _totals(json.loads(out))) == (1, (4, 0, 1))  # the last one's change


async def test_without_json_people_get_a_table_and_no_bar_where_there_is_no_terminal() -> None:
    code, out, err = await _run()
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[1].split() == ["15", "47978.10", "23", "1994-03-21"]
    assert lines[-1] == "13,842 rows, 0 refused, 0 mismatches, 282 accounts"


async def test_a_file_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    code, out, err = await _run(file=tmp_path / "missing.csv")
    assert (code, out) == (2, "")
    assert "missing.csv" in err
    assert "Traceback" not in err


async def _replay(*options: str) -> dict[str, Any]:
    code, out, err = await _run("--json", *options)
    assert code == 0, err
    report: dict[str, Any] = json.loads(out)
    return report


async def _run(*options: str, file: Path = SLICE) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.bank", "replay", str(file), *options),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


def _totals(report: dict[str, Any]) -> tuple[int, int, int]:
    return report["rows"], report["refused"], report["mismatches"]


def _books(report: dict[str, Any]) -> dict[str, Books]:
    assert len(report["accounts"]) == ACCOUNTS
    return {
        account["account_id"]: Books(
            account["balance"], account["transaction_count"], account["last_activity"]
        )
        for account in report["accounts"]
    }


async def _head(address: str) -> int:
    async with connect(address) as client:
        return (await client.info()).head


async def _books_by_state(address: str, ids: dict[str, Books]) -> dict[str, Books]:
    async with connect(address) as client:
        answers = await asyncio.gather(*(client.aggregate(BankAccount, i).state() for i in ids))
    return {
        account_id: Books(
            czk(answer.state.balance),
            answer.state.transaction_count,
            str(answer.state.last_activity),
        )
        for account_id, answer in zip(ids, answers, strict=True)
    }


async def _books_by_subscription(address: str) -> dict[str, Books]:
    states: dict[str, BankAccount] = {}
    async with connect(address) as client:
        head = (await client.info()).head
        async with client.subscribe() as subscription:
            async for event in subscription:
                before = states.get(event.aggregate_id, BankAccount())
                states[event.aggregate_id] = before.evolve(event.decode(BankAccount))
                if event.position == head:
                    break
    return {
        account_id: Books(czk(state.balance), state.transaction_count, str(state.last_activity))
        for account_id, state in states.items()
    }
