"""projections, and execute --wait-for: what is told of read models that are behind."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from tests.integration.cli.command import Gesta, served

from gesta.client import connect

SESSION = UUID(int=1_000 << 80 | 7 << 76 | 2 << 62)
ODD = "odd\u009b[2J"
"""A name that would steer a terminal. A server takes no such name, so this one is in an option."""


@pytest.fixture
def bank(tmp_path: Path) -> Iterator[Gesta]:
    """A server of one's own: nobody else reports here."""
    with served(tmp_path, "examples.bank") as server:
        yield server.gesta


def report(bank: Gesta, name: str, token: str) -> None:
    async def tell() -> None:
        async with connect(bank.address) as client:
            await client.report_checkpoint(name, SESSION, token)

    asyncio.run(tell())


def opened(bank: Gesta, account: str) -> str:
    """The token of an account's opening."""
    done = bank("execute", "BankAccount", account, "open", "initial_deposit=5", "--json")
    return str(json.loads(done.stdout)["token"])


def test_projections_that_report_are_listed_in_json_and_in_text(bank: Gesta) -> None:
    nothing = bank("projections")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "no projection has reported" in nothing.stderr
    assert json.loads(bank("projections", "--json").stdout) == {"projections": []}
    report(bank, "accounts", opened(bank, "a"))
    report(bank, "statements@rebuild", opened(bank, "b"))
    behind, level = json.loads(bank("projections", "--json").stdout)["projections"]
    assert behind.pop("lag_seconds") > 0
    assert behind.pop("reported_at").endswith("Z")
    assert behind == {
        "name": "accounts",
        "position": 1,
        "head": 2,
        "lag_events": 1,
        "silent": False,
        "session": str(SESSION),
    }
    assert (level["name"], level["lag_events"], level["lag_seconds"]) == (
        "statements@rebuild",
        0,
        0,
    )
    shown = bank("projections")
    assert (shown.returncode, shown.stderr) == (0, "")
    first, second = shown.stdout.splitlines()
    assert first.startswith("accounts            at 1, 1 events and ")
    assert second.startswith("statements@rebuild  at 2, 0 events and 0.0 s behind  heard at ")


def test_committed_and_not_projected_yet_is_told_and_is_no_failure(bank: Gesta) -> None:
    wait = ("--wait-for", "accounts", "--wait-timeout", "0")
    late = bank("execute", "BankAccount", "a", "open", "initial_deposit=5", *wait)
    assert late.returncode == 0
    assert late.stderr == "committed, not projected yet: accounts\n"
    assert ["pending", '["accounts"]'] in [line.split() for line in late.stdout.splitlines()]
    deposit = ("execute", "BankAccount", "a", "deposit", "--json", "amount=5")
    both = bank(*deposit, "--command-id", "first", *wait, "--wait-for", "statements")
    answer = json.loads(both.stdout)
    assert (both.returncode, both.stderr) == (0, "")
    assert (answer["version"], answer["pending"]) == (2, ["accounts", "statements"])
    report(bank, "accounts", answer["token"])
    again = bank(*deposit, "--command-id", "first", *wait)
    assert json.loads(again.stdout) | {"replayed": False, "pending": None} == answer | {
        "pending": None
    }
    assert json.loads(again.stdout)["pending"] == []
    assert "pending" not in json.loads(bank(*deposit).stdout)


@pytest.mark.parametrize(
    "options",
    [
        ("--wait-for", ""),
        ("--wait-for", ODD),
        ("--wait-for", "a", "--wait-timeout", "-1"),
        ("--wait-timeout", "1"),
        ("--wait-for", "a", "--dry-run"),
    ],
)
def test_a_wait_that_makes_no_sense_is_refused_and_nothing_executed(
    bank: Gesta, options: tuple[str, ...]
) -> None:
    refused = bank("execute", "BankAccount", "a", "open", "initial_deposit=5", *options)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert all(line.isprintable() for line in refused.stderr.splitlines())
    assert bank("state", "BankAccount", "a").returncode == 5
