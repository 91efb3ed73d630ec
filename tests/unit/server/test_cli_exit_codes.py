"""The table of exit codes, held against everything that a command can end with."""

from collections.abc import Iterator
from typing import TypeVar

import pytest
from grpc import StatusCode

from gesta.client import errors
from gesta.client.errors import GestaError, Outcome
from gesta.server.cli.asking import failure_of
from gesta.server.cli.exit_codes import (
    CLIENT_ERRORS,
    MEANINGS,
    STORE_ERRORS,
    ExitCode,
    of_client_error,
    of_store_error,
)
from gesta.store import port
from gesta.store.port import StoreError

E = TypeVar("E", bound=Exception)


def below(base: type[E]) -> Iterator[type[E]]:
    for each in base.__subclasses__():
        yield each
        yield from below(each)


def test_every_code_has_its_meaning_and_only_what_opens_a_log_has_those_of_sysexits() -> None:
    assert set(MEANINGS) == set(ExitCode)
    of_logs = {code for code, text in MEANINGS.items() if text.startswith(("serve: ", "serve, "))}
    assert of_logs == {code for code in ExitCode if 64 <= code < 128}


def test_every_family_of_client_errors_and_every_store_error_is_in_the_table() -> None:
    assert [each for each in GestaError.__subclasses__() if each not in CLIENT_ERRORS] == []
    assert [each for each in below(StoreError) if each not in STORE_ERRORS] == []


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.InvalidRequest("text"), ExitCode.BAD_INPUT),
        (errors.LogRestored("text", fork_position=1), ExitCode.BAD_INPUT),
        (errors.Refused("text", aggregate_type="A", reason="NO"), ExitCode.REFUSED),
        (errors.AggregateExists("text", actual=1), ExitCode.CONFLICT),
        (errors.AggregateNotFound("text"), ExitCode.NOT_FOUND),
        (errors.Overloaded("text"), ExitCode.UNAVAILABLE),
        (errors.ExpiredInQueue("text"), ExitCode.UNAVAILABLE),
        (errors.OutcomeUnknown("text"), ExitCode.OUTCOME_UNKNOWN),
        (errors.CorruptEvent("text", position=3), ExitCode.DATA_LOSS),
        (errors.HandlerFailed("text", error_id="x"), ExitCode.FAILED),
        (errors.UnreadableAnswer("text"), ExitCode.FAILED),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, GestaError) else "",
)
def test_an_error_ends_a_command_with_the_code_of_its_kind(
    error: GestaError, code: ExitCode
) -> None:
    assert of_client_error(error, may_have_written=True) is code


def test_a_doubt_is_the_commands_alone() -> None:
    lost = errors.Unrecognised("text", code=StatusCode.UNAVAILABLE)
    assert lost.outcome is Outcome.UNKNOWN
    assert of_client_error(lost, may_have_written=True) is ExitCode.OUTCOME_UNKNOWN
    assert of_client_error(lost, may_have_written=False) is ExitCode.UNAVAILABLE
    assert "outcome" not in failure_of(lost, "127.0.0.1:1").fields


def test_a_store_error_that_keeps_a_server_from_starting_has_its_own_code() -> None:
    assert of_store_error(port.LogLocked("log", "pid 1")) is ExitCode.LOG_LOCKED
    assert of_store_error(port.NotALog("text")) is ExitCode.NOT_A_LOG
    assert of_store_error(port.CorruptLog("text")) is ExitCode.DATA_LOSS


def test_a_refusal_is_told_with_its_details_and_a_reason_is_not_told_twice() -> None:
    refused = errors.Refused("NO", aggregate_type="A", reason="NO", details={"left": "5"})
    failure = failure_of(refused, "127.0.0.1:1", may_have_written=True)
    assert str(failure) == "NO: refused by A (left=5)"
    assert failure.fields["details"] == {"left": "5"}


def test_every_error_has_a_word_of_its_own() -> None:
    closed = failure_of(errors.ClientClosed("text"), "127.0.0.1:1")
    assert closed.reason == "CLIENT_CLOSED"
    assert failure_of(errors.DeadlineExceeded("text"), "a:1").reason == "DEADLINE_EXCEEDED"
