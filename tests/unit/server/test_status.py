"""The table from errors to gRPC: complete, as the design has it, and small enough for trailers."""

from collections.abc import Iterator

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from gesta.engine import errors
from gesta.engine.errors import EngineError
from gesta.server.status import STATUS_BYTES_MAX, TABLE, code_of, status_of
from gesta.v1.errors_pb2 import ErrorReason

LONG = "𝄞" * 100_000

DESIGN = {
    "INVALID_ARGUMENT": {
        "INVALID_REQUEST",
        "UNKNOWN_COMMAND",
        "UNKNOWN_AGGREGATE_TYPE",
        "COMMAND_ID_REUSED",
        "COMMAND_ID_EXPIRED",
    },
    "OUT_OF_RANGE": {"OUT_OF_RANGE"},
    "ABORTED": {"VERSION_CONFLICT"},
    "ALREADY_EXISTS": {"AGGREGATE_EXISTS"},
    "NOT_FOUND": {"AGGREGATE_NOT_FOUND"},
    "FAILED_PRECONDITION": {"LIMIT_EXCEEDED", "LOG_RESTORED", "SESSION_SUPERSEDED"},
    "RESOURCE_EXHAUSTED": {"OVERLOADED", "STORAGE_FULL"},
    "UNAVAILABLE": {"DRAINING", "STARTING", "STORAGE_UNAVAILABLE"},
    "DEADLINE_EXCEEDED": {"EXPIRED_IN_QUEUE"},
    "UNKNOWN": {"OUTCOME_UNKNOWN"},
    "INTERNAL": {"HANDLER_FAILED", "UNREADABLE_EVENT", "INTERNAL"},
    "DATA_LOSS": {"CORRUPT_EVENT"},
}

ONE_OF_EACH: list[EngineError] = [
    errors.InvalidRequest(LONG, LONG),
    errors.InvalidRequest("", LONG),
    errors.UnknownCommand(LONG, LONG),
    errors.UnknownAggregateType(LONG),
    errors.CommandIdReused(bytes(16)),
    errors.CommandIdExpired(bytes(16), 604_800),
    errors.OutOfRange(LONG, -(2**63), 2**63 - 1),
    errors.LimitExceeded(LONG, 1),
    errors.LogRestored(7),
    errors.VersionConflict(LONG, LONG, 3, 4),
    errors.AggregateExists(LONG, LONG, 1),
    errors.AggregateNotFound(LONG, LONG),
    errors.SessionSuperseded(LONG, bytes(16)),
    errors.Overloaded(LONG),
    errors.StorageIsFull(),
    errors.Draining(),
    errors.Starting(),
    errors.StorageUnavailable(),
    errors.ExpiredInQueue(),
    errors.OutcomeUnknown(),
    errors.HandlerBroken("0123456789ab"),
    errors.UnreadableEvent("0123456789ab", 5),
    errors.CorruptEvent(None),
    errors.CorruptEvent(5),
    errors.InternalError("0123456789ab"),
]


def _leaves(base: type[EngineError]) -> Iterator[type[EngineError]]:
    """The classes that are raised, not those that only gather others."""
    for each in base.__subclasses__():
        yield from _leaves(each) if each.__subclasses__() else (each,)


def _info(status: status_pb2.Status) -> error_details_pb2.ErrorInfo:
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info


def _refused(details: dict[str, str], message: str = "") -> errors.Refused:
    return errors.Refused("BankAccount", "INSUFFICIENT_FUNDS", message, details)


def test_every_error_of_the_engine_has_a_row() -> None:
    assert set(TABLE) == set(_leaves(EngineError)) - {errors.Refused}
    assert set(TABLE) == {type(each) for each in ONE_OF_EACH}


def test_every_reason_of_the_contract_is_used_once() -> None:
    prefix = "ERROR_REASON_"
    promised = {name.removeprefix(prefix) for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    reasons = [reason for _, reason in TABLE.values()]
    assert sorted(promised) == sorted(reasons)


def test_the_codes_are_those_of_the_design() -> None:
    found: dict[str, set[str]] = {}
    for code, reason in TABLE.values():
        found.setdefault(code.name, set()).add(reason)
    assert found == DESIGN


@pytest.mark.parametrize("error", ONE_OF_EACH, ids=lambda each: type(each).__name__)
def test_a_status_says_code_reason_and_outcome_and_is_small(error: EngineError) -> None:
    status = status_of(error)
    info = _info(status)
    assert (code_of(status), info.reason) == TABLE[type(error)]
    assert info.domain == "gesta"
    assert info.metadata["outcome"] == error.outcome.value
    assert status.message
    assert status.ByteSize() <= STATUS_BYTES_MAX
    assert _in_trailers(status) <= 8_192


def test_only_what_may_have_been_written_is_of_unknown_outcome() -> None:
    unknown = {type(each) for each in ONE_OF_EACH if each.outcome is errors.Outcome.UNKNOWN}
    assert unknown == {errors.OutcomeUnknown, errors.InternalError}


def test_the_fields_of_an_error_are_in_its_metadata() -> None:
    conflict = _info(status_of(errors.VersionConflict("BankAccount", "a", 3, 4)))
    assert dict(conflict.metadata) == {
        "aggregate_type": "BankAccount",
        "aggregate_id": "a",
        "expected": "3",
        "actual": "4",
        "outcome": "NOT_DONE",
    }
    assert "position" not in _info(status_of(errors.CorruptEvent(None))).metadata


def test_what_may_be_tried_later_says_when() -> None:
    for error in ONE_OF_EACH:
        retry = error_details_pb2.RetryInfo()
        found = any(detail.Unpack(retry) for detail in status_of(error).details)
        assert found == isinstance(error, errors.TryLater)
        if isinstance(error, errors.TryLater):
            assert retry.retry_delay.ToMilliseconds() == error.retry_after_ms


def test_a_refusal_carries_its_own_domain_reason_and_details() -> None:
    status = status_of(_refused({"available": "7"}))
    info = _info(status)
    assert (info.domain, info.reason) == ("BankAccount", "INSUFFICIENT_FUNDS")
    assert dict(info.metadata) == {"available": "7", "outcome": "NOT_DONE"}
    assert code_of(status) is grpc.StatusCode.FAILED_PRECONDITION


def test_details_too_large_to_carry_do_not_cost_the_reason() -> None:
    status = status_of(_refused({f"k{n}": LONG for n in range(50)}, LONG))
    info = _info(status)
    assert (info.reason, dict(info.metadata)) == ("INSUFFICIENT_FUNDS", {"outcome": "NOT_DONE"})
    assert status.ByteSize() <= STATUS_BYTES_MAX


def test_a_refusal_cannot_pass_for_another_outcome() -> None:
    assert _info(status_of(_refused({"outcome": "UNKNOWN"}))).metadata["outcome"] == "NOT_DONE"


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters())), st.text())
@settings(max_examples=200, derandomize=True, database=None, deadline=None)
def test_any_text_of_an_author_makes_a_status(details: dict[str, str], message: str) -> None:
    status = status_of(_refused(details, message))
    assert status_pb2.Status.FromString(status.SerializeToString()) == status
    assert _info(status).reason == "INSUFFICIENT_FUNDS"
    assert _in_trailers(status) <= 8_192


def test_half_a_surrogate_pair_makes_a_status_too() -> None:
    status = status_of(_refused({"\ud800": "\udfff"}, "\ud800"))
    assert (status.message, _info(status).metadata["?"]) == ("?", "?")


def _in_trailers(status: status_pb2.Status) -> int:
    """The trailers' bytes as HTTP/2 counts them: the message percent-encoded, the details in
    base64, and 32 bytes beside each name and value."""
    message: int = sum(
        1 if 32 <= byte <= 126 and byte != 37 else 3 for byte in status.message.encode()
    )
    details: int = (status.ByteSize() + 2) // 3 * 4
    headers = ("grpc-message", "grpc-status-details-bin", "grpc-status", "content-type", ":status")
    return message + details + sum(32 + len(name) + 20 for name in headers)
