"""What a load client writes down is what the checker takes."""

from uuid import UUID

import pytest
from benchmarks.bank import DEPOSITED, balance_after
from benchmarks.record import Record, in_order, share_of
from examples.bank import Balance
from tests.history.checker import check
from tests.history.history import History
from tests.history.log import LoggedEvent
from tests.history.violation import Kind

from gesta.client import ClientClosed, Done, OutcomeUnknown, Overloaded

ID = UUID(int=7)


def done(position: int, version: int, balance: int) -> Done[Balance]:
    return Done(Balance(balance), version, position, "", 1, False, ID.bytes)


def stored(amount: int) -> LoggedEvent:
    data = b'{"amount":%d,"booked_on":"2026-01-01"}' % amount
    return LoggedEvent(
        1, "BankAccount", "b", 1, b"e", "MoneyDeposited", data, ID.bytes, False, 1_000
    )


def kinds(record: Record, log: list[LoggedEvent]) -> list[Kind]:
    history = History()
    record.add_to(history)
    return [each.kind for each in check(in_order(history), log, balance_after)]


@pytest.fixture
def record() -> Record:
    return Record(DEPOSITED, ["a", "b"])


def test_what_was_acknowledged_is_held_against_the_log(record: Record) -> None:
    record.done(1, 50, record.now(), done(1, 1, 50))
    assert kinds(record, [stored(50)]) == []
    assert kinds(record, [stored(51)]) == [Kind.WRONG_REPLY, Kind.OTHER_BYTES]
    assert kinds(record, []) == [Kind.LOST]


def test_what_is_in_doubt_may_be_there_or_not(record: Record) -> None:
    record.failed(1, 50, record.now(), OutcomeUnknown(command_id=ID))
    assert kinds(record, [stored(50)]) == []
    assert kinds(record, []) == []


def test_what_was_refused_must_not_be_there(record: Record) -> None:
    record.failed(1, 50, record.now(), Overloaded())
    assert record.not_done == 1
    assert kinds(record, [stored(50)]) == [Kind.NOBODY_ASKED]


def test_an_error_that_says_nothing_of_the_command_is_raised(record: Record) -> None:
    from gesta.client import Outcome

    with pytest.raises(ClientClosed):
        record.failed(1, 50, record.now(), ClientClosed(outcome=Outcome.UNKNOWN))


def test_figures_are_of_what_was_answered_between_two_moments(record: Record) -> None:
    record.invoked.extend([0, 1_000_000, 2_000_000])
    record.answered.extend([1_000_000, 4_000_000, 9_000_000])
    assert record.figures(1_000_000, 9_000_000) == {
        "per_second": pytest.approx(250.0),
        "p50_ms": 7.0,
        "p99_ms": 7.0,
    }


@pytest.mark.parametrize(("share", "found"), [(0.0, 1), (0.5, 3), (0.99, 4), (1.0, 4)])
def test_a_share_is_what_so_many_do_not_exceed(share: float, found: float) -> None:
    assert share_of([1, 2, 3, 4], share) == found
