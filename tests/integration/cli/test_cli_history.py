"""What the command line says of the past, and of what a command would do."""

import json

import pytest
from tests.integration.cli.command import Gesta

from gesta.server.cli.history import Difference, differences


@pytest.fixture(scope="module")
def account(bank: Gesta) -> tuple[str, str]:
    """Three versions: 100, 150, 120."""
    named = ("BankAccount", "past")
    for words in (
        ("open", "initial_deposit=100"),
        ("deposit", "amount=50", "--metadata", "user_id=eve"),
        ("withdraw", "amount=30"),
    ):
        assert bank("execute", *named, *words).returncode == 0
    return named


def test_a_state_is_shown_as_it_was_at_a_version_and_at_a_time(
    bank: Gesta, account: tuple[str, str]
) -> None:
    def balance(*words: str) -> int:
        shown: int = json.loads(bank("state", *account, "--json", *words).stdout)["state"][
            "balance"
        ]
        return shown

    events = bank("events", "--aggregate", "/".join(account), "--json").stdout.splitlines()
    times = [json.loads(line)["commit_time"] for line in events]
    assert [balance("--version", str(n)) for n in (1, 2, 3)] == [100, 150, 120]
    assert [balance("--at", time) for time in times] == [100, 150, 120]


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("--version", "4"), 2, "OUT_OF_RANGE"),
        (("--version", "0"), 2, "OUT_OF_RANGE"),
        (("--at", "2001-01-01"), 2, "OUT_OF_RANGE"),
        (("--at", "yesterday"), 2, "BAD_INPUT"),
        (("--at", "2026-01-01", "--version", "1"), 2, "BAD_INPUT"),
    ],
)
def test_a_moment_that_never_was_is_bad_input(
    bank: Gesta, account: tuple[str, str], words: tuple[str, ...], code: int, reason: str
) -> None:
    failed = bank("state", *account, *words)
    assert (failed.returncode, failed.stdout) == (code, "")
    assert failed.stderr.startswith(f"gesta: {reason}: ")


def test_a_history_says_what_happened_who_did_it_and_what_it_changed(
    bank: Gesta, account: tuple[str, str]
) -> None:
    told = bank("history", *account, "--json").stdout.splitlines()
    versions = [json.loads(line) for line in told]
    assert [each["version"] for each in versions] == [1, 2, 3]
    assert [each["event_type"] for each in versions][1:] == ["MoneyDeposited", "MoneyWithdrawn"]
    assert {"path": "balance", "before": 150, "after": 120} in versions[2]["changes"]
    assert versions[1]["metadata"] == {"user_id": "eve"}
    shown = bank("history", *account, "--after", "1", "--limit", "1").stdout.splitlines()
    assert shown[0].startswith("v2  ")
    assert versions[1]["command_id"] in shown[0]
    assert "by eve" in shown[0]
    assert "    balance  100 → 150" in shown


def test_a_diff_names_each_place_that_differs(bank: Gesta, account: tuple[str, str]) -> None:
    assert "balance  100 → 120" in bank("diff", *account, "1", "3").stdout.splitlines()
    changes = json.loads(bank("diff", *account, "1", "3", "--json").stdout)["changes"]
    assert {"path": "balance", "before": 100, "after": 120} in changes
    assert bank("diff", *account, "2", "2").stdout == ""
    assert bank("diff", *account, "1", "9").returncode == 2


def test_a_difference_is_told_by_its_place_inside_out() -> None:
    before = {"a": 1, "b": {"c": [1, 2], "d": True}, "gone": "x"}
    after = {"a": 1, "b": {"c": [1, 3, 4], "d": 1}, "new": None, "more": {}}
    assert list(differences(before, after)) == [
        Difference("b.c[1]", 2, 3),
        Difference("b.c[2]", None, 4),
        Difference("b.d", True, 1),
        Difference("more", None, {}),
        Difference("gone", "x", None),
    ]


def test_a_dry_run_says_what_would_be_and_changes_nothing(
    bank: Gesta, account: tuple[str, str]
) -> None:
    words = ("execute", *account, "withdraw", "amount=110", "--dry-run", "--json")
    would = json.loads(bank(*words).stdout)
    assert (would["state"]["balance"], would["version"], would["refusal"]) == (10, 4, None)
    assert [each["event_type"] for each in would["events"]] == ["MoneyWithdrawn"]
    refused = json.loads(bank(*words, "--at-version", "1").stdout)
    assert refused["refusal"]["reason"] == "INSUFFICIENT_FUNDS"
    assert (refused["events"], refused["version"]) == ([], 1)
    assert json.loads(bank("state", *account, "--json").stdout)["version"] == 3


def test_a_dry_run_and_its_options_go_together(bank: Gesta, account: tuple[str, str]) -> None:
    for words in (("--at-version", "1"), ("--dry-run", "--expected-version", "3")):
        failed = bank("execute", *account, "deposit", "amount=1", *words)
        assert (failed.returncode, failed.stdout) == (2, "")
        assert "--dry-run" in failed.stderr
