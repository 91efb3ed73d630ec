"""execute, query and state: what they print, and what they end with."""

import json
from collections.abc import Iterator, Sequence

import pytest
from tests.integration.cli.command import Gesta

OPEN = ("open", "initial_deposit=500")


def opened(bank: Gesta, account: str) -> Sequence[str]:
    """TYPE and ID of an account that is open."""
    assert bank("execute", "BankAccount", account, *OPEN).returncode == 0
    return ("BankAccount", account)


@pytest.fixture(scope="module")
def untouched(bank: Gesta) -> Iterator[Sequence[str]]:
    """An open account. Nothing may be written to it, whatever it is asked."""
    account = opened(bank, "untouched")
    yield account
    assert json.loads(bank("state", *account, "--json").stdout)["version"] == 1


def test_a_command_and_what_became_of_it_in_json_and_in_text(bank: Gesta) -> None:
    account = opened(bank, "json")
    done = bank("execute", *account, "deposit", "--json", '{"amount": 5}')
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    assert answer["reply"] == {"balance": 505}
    assert (answer["version"], answer["event_count"], answer["replayed"]) == (2, 1, False)
    found = bank("state", *account, "--json")
    state = json.loads(found.stdout)
    assert (state["state"]["balance"], state["version"]) == (505, 2)
    assert answer["position"] <= state["position"]
    shown = bank("query", *account, "statement")
    assert (shown.returncode, shown.stderr) == (0, "")
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert lines[0] == ["reply"]
    assert ["balance", "505"] in lines
    reply = json.loads(bank("query", *account, "statement", "--json").stdout)["reply"]
    assert (reply["balance"], reply["transaction_count"]) == (505, 2)


def test_named_arguments_are_taken_as_what_the_command_expects(trouble: Gesta) -> None:
    done = trouble("execute", "Trouble", "words", "note", "text=123", "price=1.10", "--json")
    assert json.loads(done.stdout)["reply"] == ["123", "1.10"]
    shouted = trouble("query", "Trouble", "words", "shout", "mark=null", "--json")
    assert json.loads(shouted.stdout) == {"reply": "123null"}


def test_what_is_stored_does_not_steer_a_terminal(trouble: Gesta) -> None:
    trouble("execute", "Trouble", "steering", "note", "text=a\x1b[2J\u009bm")
    aggregate = ("Trouble", "steering")
    for words in (("state", *aggregate), ("query", *aggregate, "shout")):
        shown = trouble(*words)
        assert (shown.returncode, shown.stderr) == (0, "")
        assert "\\x1b[2J\\x9b" in shown.stdout
        assert all(line.isprintable() for line in shown.stdout.splitlines())


def test_a_command_id_gets_its_first_answer_again_and_metadata_is_kept(bank: Gesta) -> None:
    account = opened(bank, "repeated")
    words = ("execute", *account, "deposit", "amount=1", "--command-id", "test-17", "--json")
    first = json.loads(bank(*words, "--metadata", "user_id=u=1").stdout)
    again = json.loads(bank(*words).stdout)
    assert first | {"replayed": True} == again
    kept = bank("events", "--aggregate", "/".join(account), "--backwards", "--limit", "1", "--json")
    event = json.loads(kept.stdout)
    assert ({"user_id": "u=1"}, first["command_id"]) == (event["metadata"], event["command_id"])


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("withdraw", "amount=501"), 3, "INSUFFICIENT_FUNDS"),
        (("deposit", "amount=1", "--expected-version", "7"), 4, "VERSION_CONFLICT"),
        (("deposit", "amount=1", "--command-id", ""), 2, "BAD_INPUT"),
        (("deposit", "amount=1", "--must-not-exist"), 4, "AGGREGATE_EXISTS"),
        (("deposit", "amount=many"), 2, "INVALID_REQUEST"),
        (("deposit", "amount=99999999999999999999999"), 2, "INVALID_REQUEST"),
        (("deposit", "amount"), 2, "BAD_INPUT"),
        (("deposit", '{"amount": '), 2, "BAD_INPUT"),
        (("deposit", "amount=1", "--expected-version", str(2**63)), 2, "USAGE"),
        (("deposit", "booked_on=\udcff"), 2, "BAD_INPUT"),  # a byte that is not UTF-8
        (("steal",), 2, "UNKNOWN_COMMAND"),
        (("deposit", "--amount", "1"), 2, "USAGE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_command_that_is_not_accepted_says_why_in_one_line(
    bank: Gesta, untouched: Sequence[str], words: Sequence[str], code: int, reason: str
) -> None:
    failed = bank("execute", *untouched, *words)
    assert (code, "") == (failed.returncode, failed.stdout)
    (line,) = failed.stderr.splitlines()
    assert line.startswith(f"gesta: {reason}: ")


def test_with_json_an_error_is_an_object_with_its_fields(bank: Gesta) -> None:
    account = opened(bank, "object")
    failed = bank("execute", *account, "withdraw", "--json", '{"amount": 501}')
    assert (failed.returncode, failed.stdout) == (3, "")
    answer = json.loads(failed.stderr)
    assert answer["exit_code"] == 3
    assert answer["error"]["details"] == {"available": "500"}
    assert answer["error"]["outcome"] == "NOT_DONE"


def test_an_aggregate_that_is_not_there_ends_with_5(bank: Gesta) -> None:
    for words in (("state", "--json"), ("execute", "deposit", "amount=1", "--must-exist")):
        failed = bank(words[0], "BankAccount", "nobody", *words[1:])
        assert (failed.returncode, failed.stdout) == (5, "")
        assert "AGGREGATE_NOT_FOUND" in failed.stderr


def test_a_server_that_is_not_there_is_unavailable_and_a_command_was_not_done(bank: Gesta) -> None:
    failed = bank("execute", "BankAccount", "a", "close", "--server", "127.0.0.1:1", "--json")
    assert (failed.returncode, failed.stdout) == (6, "")
    error = json.loads(failed.stderr)["error"]
    assert (error["reason"], error["outcome"]) == ("UNREACHABLE", "NOT_DONE")
    assert "127.0.0.1:1" in error["message"]
