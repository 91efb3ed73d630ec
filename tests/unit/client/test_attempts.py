"""What is known of a command when its last attempt has ended."""

from uuid import UUID

import grpc
import pytest

from gesta.client import errors
from gesta.client.attempts import Attempts
from gesta.client.errors import GestaError, Outcome, OutcomeUnknown
from gesta.client.retry import RetryBudget, RetryPolicy

COMMAND_ID = UUID(int=17)

AFTER_THE_LOOK_UP: list[GestaError] = [
    errors.VersionConflict(aggregate_type="T", aggregate_id="a", expected=1, actual=2),
    errors.AggregateExists(actual=1),
    errors.AggregateNotFound(),
    errors.Refused(aggregate_type="T", reason="NO"),
    errors.CommandIdReused(),
]
"""The server has looked the command id up by then, and no earlier attempt was accepted."""

OF_THIS_ATTEMPT: list[GestaError] = [
    errors.GestaError(),
    errors.BadRequest(),  # the families stand for reasons that this client does not know yet
    errors.InvalidRequest(),
    errors.UnknownCommand(command="c"),
    errors.UnknownAggregateType(aggregate_type="T"),
    errors.CommandIdExpired(window_s=1),
    errors.OutOfRange(asked=1, last=0),
    errors.LimitExceeded(limit="l", maximum=1),
    errors.LogRestored(fork_position=1),
    errors.Unmet(),
    errors.SessionSuperseded(name="p", session="s"),
    errors.TryLater(),
    errors.Overloaded(),
    errors.StorageFull(),
    errors.Draining(),
    errors.Starting(),
    errors.StorageUnavailable(),
    errors.Unreachable(),
    errors.Expired(),
    errors.ExpiredInQueue(),
    errors.DeadlineExceeded(),
    errors.Fault(),
    errors.HandlerFailed(error_id="1"),
    errors.UnreadableEvent(error_id="1", position=1),
    errors.CorruptEvent(),
    errors.InternalError(error_id="1", outcome=Outcome.NOT_DONE),
    errors.Unrecognised(outcome=Outcome.NOT_DONE),
    errors.ClientClosed(),
]
"""It says nothing of another attempt: it can be given before the command id is looked up, or is not
remembered for the id."""

UNKNOWN_ALREADY: list[GestaError] = [
    errors.OutcomeUnknown(),
    errors.InternalError(error_id="1"),
    errors.Unrecognised(code=grpc.StatusCode.UNAVAILABLE),
    errors.ClientClosed(outcome=Outcome.UNKNOWN),
]

NEVER_AN_ATTEMPT = {errors.UnreadableAnswer}
"""Raised of an answer that says the command is done."""


def named(error: GestaError) -> str:
    return type(error).__name__


def attempts(command_id: UUID | None = COMMAND_ID, in_doubt: bool = False) -> Attempts:
    key = None if command_id is None else command_id.bytes
    made = Attempts(RetryPolicy(), RetryBudget(1), deadline=0.0, command_id=key)
    made.in_doubt = in_doubt
    return made


def test_the_tables_here_have_every_error() -> None:
    def below(error: type[GestaError]) -> set[type[GestaError]]:
        return {error}.union(*(below(each) for each in error.__subclasses__()))

    listed = {type(each) for each in AFTER_THE_LOOK_UP + OF_THIS_ATTEMPT + UNKNOWN_ALREADY}
    assert listed | NEVER_AN_ATTEMPT == below(GestaError)


@pytest.mark.parametrize("error", AFTER_THE_LOOK_UP, ids=named)
def test_what_is_said_after_the_look_up_settles_an_attempt_in_doubt(error: GestaError) -> None:
    assert attempts(in_doubt=True).final(error) is error


@pytest.mark.parametrize("error", OF_THIS_ATTEMPT, ids=named)
def test_what_speaks_of_one_attempt_leaves_an_earlier_one_unknown(error: GestaError) -> None:
    final = attempts(in_doubt=True).final(error)
    assert isinstance(final, OutcomeUnknown)
    assert (final.outcome, final.command_id) == (Outcome.UNKNOWN, COMMAND_ID)
    assert final.__cause__ is error


@pytest.mark.parametrize("error", UNKNOWN_ALREADY, ids=named)
def test_what_is_unknown_stays_as_it_is(error: GestaError) -> None:
    assert attempts(in_doubt=True).final(error) is error
    assert error.outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("error", AFTER_THE_LOOK_UP + OF_THIS_ATTEMPT, ids=named)
def test_without_an_attempt_in_doubt_not_done_is_not_done(error: GestaError) -> None:
    assert attempts().final(error) is error
    assert error.outcome is Outcome.NOT_DONE


def test_the_command_id_is_added_to_an_unknown_outcome_of_the_servers() -> None:
    final = attempts().final(errors.OutcomeUnknown())
    assert isinstance(final, OutcomeUnknown)
    assert final.command_id == COMMAND_ID


def test_a_call_that_ran_out_of_time_is_unknown_for_a_command_and_expired_for_a_read() -> None:
    late = errors.Unrecognised(code=grpc.StatusCode.DEADLINE_EXCEEDED)
    assert isinstance(attempts().final(late), OutcomeUnknown)
    read = attempts(command_id=None).final(late)
    assert isinstance(read, errors.DeadlineExceeded)
    assert read.__cause__ is late
