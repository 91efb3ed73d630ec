import grpc
import pytest

from gesta.client import errors
from gesta.client.errors import GestaError, Outcome, Unrecognised
from gesta.client.retry import RetryBudget, RetryPolicy, may_pass

POLICY = RetryPolicy(attempts_max=4, backoff_first_s=0.1, backoff_max_s=0.3)


@pytest.mark.parametrize(
    "error",
    [
        errors.Overloaded(),
        errors.Draining(),
        errors.Starting(),
        errors.StorageFull(),
        errors.StorageUnavailable(),
        errors.OutcomeUnknown(),
        errors.InternalError(error_id="1"),
        Unrecognised(code=grpc.StatusCode.UNAVAILABLE),
        Unrecognised(code=grpc.StatusCode.UNKNOWN),
    ],
)
def test_what_may_pass_is_asked_again(error: GestaError) -> None:
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        errors.InvalidRequest(),
        errors.VersionConflict(aggregate_type="T", aggregate_id="a", expected=1, actual=2),
        errors.Refused(aggregate_type="T", reason="NO"),
        errors.ExpiredInQueue(),
        errors.HandlerFailed(error_id="1"),
        errors.CorruptEvent(),
        errors.InternalError(error_id="1", outcome=Outcome.NOT_DONE),
        errors.ClientClosed(outcome=Outcome.UNKNOWN),
        Unrecognised(code=grpc.StatusCode.RESOURCE_EXHAUSTED),
        Unrecognised(code=grpc.StatusCode.UNIMPLEMENTED),
        Unrecognised(code=grpc.StatusCode.PERMISSION_DENIED),
    ],
)
def test_an_answer_or_a_fault_is_not_asked_again(error: GestaError) -> None:
    assert not may_pass(error)
    assert POLICY.delay_s(error, 1) is None


def test_the_wait_doubles_up_to_its_most_and_is_spread_over_half_of_it() -> None:
    most = [POLICY.backoff_s(attempt, draw=1.0) for attempt in (1, 2, 3, 99)]
    least = [POLICY.backoff_s(attempt, draw=0.0) for attempt in (1, 2, 3, 99)]
    assert most == pytest.approx([0.1, 0.2, 0.3, 0.3])
    assert least == pytest.approx([0.05, 0.1, 0.15, 0.15])


def test_the_servers_advice_is_a_floor() -> None:
    error = errors.Overloaded(retry_after_s=1.0)
    assert POLICY.delay_s(error, 1, draw=0.0) == pytest.approx(1.0)
    assert POLICY.delay_s(error, 1, draw=1.0) == pytest.approx(1.5)
    assert POLICY.delay_s(errors.Overloaded(), 1, draw=1.0) == pytest.approx(0.1)


def test_the_last_attempt_is_followed_by_none() -> None:
    waits = [POLICY.delay_s(errors.Overloaded(), attempt) for attempt in (3, 4, 5)]
    assert [each is None for each in waits] == [False, True, True]


def test_a_budget_allows_a_burst_and_then_a_part_of_the_answers() -> None:
    budget = RetryBudget(tokens_max=3, earned_per_answer=0.5)
    assert [budget.take() for _ in range(4)] == [True, True, True, False]
    budget.answered()
    assert not budget.take()
    budget.answered()
    assert [budget.take() for _ in range(2)] == [True, False]


def test_a_budget_never_grows_beyond_its_burst() -> None:
    budget = RetryBudget(tokens_max=1)
    for _ in range(1_000):
        budget.answered()
    assert [budget.take() for _ in range(2)] == [True, False]
