"""events: what is selected, how it is printed, and following the log."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from tests.integration.cli.command import TIMEOUT_S, Gesta, served

from gesta.client import NewEvent, connect
from gesta.v1.event_pb2 import RecordedEvent


@pytest.fixture(scope="module")
def filled(bank: Gesta) -> str:
    """An account with three events: opened, paid into, paid into."""
    for words in (("open", "initial_deposit=1"), ("deposit", "amount=2"), ("deposit", "amount=3")):
        assert bank("execute", "BankAccount", "seen", *words).returncode == 0
    return "BankAccount/seen"


def versions(bank: Gesta, *words: str) -> list[int]:
    printed = bank("events", *words, "--json")
    assert (printed.returncode, printed.stderr) == (0, "")
    return [json.loads(line)["version"] for line in printed.stdout.splitlines()]


def test_a_line_of_json_has_the_names_of_the_contract(bank: Gesta, filled: str) -> None:
    printed = bank("events", "--aggregate", filled, "--limit", "1", "--json")
    event = json.loads(printed.stdout)
    assert set(RecordedEvent.DESCRIPTOR.fields_by_name) == set(event)
    assert (event["event_type"], event["data"]["initial_deposit"]) == ("AccountOpened", 1)
    assert isinstance(event["position"], int)
    assert event["commit_time"].endswith("Z")


def test_events_are_selected_by_aggregate_type_position_and_number(
    bank: Gesta, filled: str
) -> None:
    assert versions(bank, "--aggregate", filled) == [1, 2, 3]
    assert versions(bank, "--aggregate", filled, "--type", "MoneyDeposited") == [2, 3]
    assert versions(bank, "--aggregate", filled, "--backwards", "--limit", "2") == [3, 2]
    first = json.loads(bank("events", "--aggregate", filled, "--limit", "1", "--json").stdout)
    assert versions(bank, "--aggregate", filled, "--after", str(first["position"])) == [2, 3]


def test_events_are_selected_by_the_time_of_their_commit(bank: Gesta, filled: str) -> None:
    printed = bank("events", "--aggregate", filled, "--limit", "3", "--json").stdout
    _, second, third = [json.loads(line)["commit_time"] for line in printed.splitlines()]
    words = ("--aggregate", filled, "--limit", "3")
    assert versions(bank, *words, "--after-time", second) == [3]
    assert versions(bank, *words, "--after-time", second, "--backwards") == [2, 1]
    of_type = ("--type", "MoneyDeposited", "--limit", "1", "--after-time", third)
    assert versions(bank, *of_type, "--backwards") == [3]
    for wrong in (("--after-time", "later"), ("--after-time", third, "--after", "1")):
        failed = bank("events", *wrong)
        assert (failed.returncode, failed.stdout) == (2, "")
        assert failed.stderr.startswith("gesta: BAD_INPUT: ")


async def test_old_events_are_shown_as_they_are_read_today_or_as_they_are_stored(
    tmp_path: Path,
) -> None:
    with served(tmp_path, "tests.integration.cli.evolved") as server:
        async with connect(server.gesta.address) as client:
            await client.append([NewEvent("Scale", "s", "Weighed", {"weight": 5})])
        (today,) = server.gesta("events", "--json").stdout.splitlines()
        (stored,) = server.gesta("events", "--as-stored", "--json").stdout.splitlines()
    shown = [json.loads(line) for line in (today, stored)]
    assert [each["schema_version"] for each in shown] == [3, 1]
    assert [each["data"] for each in shown] == [{"grams": 5}, {"weight": 5}]


@pytest.mark.parametrize(
    ("words", "remark"),
    [
        (("--type", "MoneyDeposit"), "no event type 'MoneyDeposit'; is it MoneyDeposited?"),
        (("--aggregate", "bankaccount"), "no aggregate type 'bankaccount'; is it BankAccount?"),
        (("--type", "Zebra"), "no event type 'Zebra'"),
    ],
)
def test_a_name_that_the_server_does_not_know_is_remarked_on(
    bank: Gesta, words: tuple[str, ...], remark: str
) -> None:
    printed = bank("events", *words)
    assert (printed.returncode, printed.stdout) == (0, "")
    assert printed.stderr == f"gesta: the server knows {remark}\n"


def test_a_pure_event_store_knows_no_names_and_remarks_on_none(tmp_path: Path) -> None:
    with served(tmp_path, None) as server:
        printed = server.gesta("events", "--type", "Whatever")
    assert (printed.returncode, printed.stdout, printed.stderr) == (0, "", "")


def test_a_position_beyond_the_log_is_bad_input(bank: Gesta) -> None:
    failed = bank("events", "--after", "1000000")
    assert (failed.returncode, failed.stdout) == (2, "")
    assert failed.stderr.startswith("gesta: OUT_OF_RANGE: after_position")


def test_text_without_a_terminal_is_plain(bank: Gesta, filled: str) -> None:
    printed = bank("events", "--aggregate", filled)
    assert "\x1b" not in printed.stdout
    first = printed.stdout.splitlines()[0].split("  ")
    assert [filled, "v1", "AccountOpened"] == first[-4:-1]


def test_following_ends_cleanly_when_interrupted_and_when_nobody_reads(
    bank: Gesta, filled: str
) -> None:
    words = ("events", "--aggregate", filled, "--follow", "--json")
    with bank.begun(*words) as interrupted, bank.begun(*words) as unread:
        assert interrupted.stdout is not None
        assert interrupted.stderr is not None
        assert unread.stdout is not None
        assert unread.stderr is not None
        for process in (interrupted.stdout, unread.stdout):
            assert [json.loads(process.readline())["version"] for _ in range(3)] == [1, 2, 3]
        interrupted.send_signal(signal.SIGINT)
        assert interrupted.wait(TIMEOUT_S) == 130
        assert interrupted.stderr.read().strip() == ""
        unread.stdout.close()
        assert bank("execute", "BankAccount", "seen", "deposit", "amount=4").returncode == 0
        assert unread.wait(TIMEOUT_S) == 0
        assert unread.stderr.read() == ""


def test_following_goes_on_after_a_restart_and_says_so(tmp_path: Path) -> None:
    with served(tmp_path, "examples.bank") as first:
        gesta = first.gesta
        # Of an account that does not exist yet, which is waited for.
        words = ("events", "--follow", "--limit", "2", "--json", "--aggregate", "BankAccount/late")
        with gesta.begun(*words) as following:
            assert following.stdout is not None
            assert following.stderr is not None
            gesta("execute", "BankAccount", "later", "open", "initial_deposit=1")
            gesta("execute", "BankAccount", "late", "open", "initial_deposit=1")
            one = json.loads(following.stdout.readline())
            assert first.stop() == 0
            assert "connection lost" in following.stderr.readline()
            with served(tmp_path, "examples.bank", gesta.address):
                gesta("execute", "BankAccount", "late", "deposit", "amount=2")
                two = json.loads(following.stdout.readline())
                assert following.wait(TIMEOUT_S) == 0
    assert [(e["aggregate_id"], e["version"]) for e in (one, two)] == [("late", 1), ("late", 2)]


@pytest.mark.parametrize("command", ["events", "history", "trace"])
async def test_whatever_a_writer_appended_an_event_stays_on_its_line(
    bank: Gesta, command: str
) -> None:
    """Line breaks in the JSON, and characters in the id that turn the direction of a terminal."""
    account = f"broken-{command}\u202e\u2028"
    data = b'{\n  "initial_deposit": 1,\n  "overdraft_limit": 0,\n  "booked_on": "2026-01-02"\n}'
    opened = NewEvent("BankAccount", account, "AccountOpened", data)
    async with connect(bank.address) as client:
        await client.append([opened], correlation_id=account)
    words = {
        "events": ("--aggregate", f"BankAccount/{account}"),
        "history": ("BankAccount", account),
        "trace": (account,),
    }[command]
    shown = await asyncio.to_thread(bank, command, *words)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert all(line.isprintable() for line in shown.stdout.removesuffix("\n").split("\n"))
    shown = await asyncio.to_thread(bank, command, *words, "--json")
    for line in shown.stdout.removesuffix("\n").split("\n"):
        json.loads(line)
