import copy
import pickle
from typing import Any

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from gesta.client import errors
from gesta.client.errors import GestaError, Outcome, Refused, Unrecognised
from gesta.client.status import ERROR_OF_REASON, from_status
from gesta.v1.errors_pb2 import ErrorReason


def status(code: grpc.StatusCode, *details: Any, message: str = "text") -> Status:
    made = Status(code=code.value[0], message=message)
    for each in details:
        packed = AnyMessage()
        packed.Pack(each)
        made.details.append(packed)
    return made


def info(reason: str, outcome: str = "NOT_DONE", domain: str = "gesta", **more: str) -> ErrorInfo:
    return ErrorInfo(reason=reason, domain=domain, metadata={"outcome": outcome, **more})


def test_every_reason_of_the_contract_has_its_class() -> None:
    names = ErrorReason.DESCRIPTOR.values_by_name
    reasons = {name.removeprefix("ERROR_REASON_") for name in names}
    assert reasons - {"UNSPECIFIED"} == set(ERROR_OF_REASON)


def test_a_class_is_named_after_its_reason() -> None:
    named = {error.reason: error.__name__ for error in ERROR_OF_REASON.values()}
    expected = {reason: reason.title().replace("_", "") for reason in named}
    expected["INTERNAL"] = "InternalError"
    assert expected == named


def test_the_tree_in_the_docstring_lists_every_class() -> None:
    classes = {
        name
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, GestaError)
    }
    drawn = {word for word in (errors.__doc__ or "").split() if word in classes}
    assert classes == drawn


def test_fields_are_read_in_their_types() -> None:
    error = from_status(
        status(
            grpc.StatusCode.ABORTED,
            info(
                "VERSION_CONFLICT", aggregate_type="T", aggregate_id="a", expected="3", actual="4"
            ),
        )
    )
    assert isinstance(error, errors.VersionConflict)
    assert (
        error.aggregate_type,
        error.aggregate_id,
        error.expected,
        error.actual,
    ) == ("T", "a", 3, 4)
    assert error.outcome is Outcome.NOT_DONE
    assert str(error) == "text"


def test_a_retry_delay_is_read() -> None:
    retry = RetryInfo(retry_delay=Duration(nanos=50_000_000))
    error = from_status(
        status(grpc.StatusCode.RESOURCE_EXHAUSTED, info("OVERLOADED", what="mailbox"), retry)
    )
    assert isinstance(error, errors.Overloaded)
    assert (error.retry_after_s, error.what) == (0.05, "mailbox")


def test_a_refusal_has_the_aggregate_type_as_its_domain() -> None:
    error = from_status(
        status(
            grpc.StatusCode.FAILED_PRECONDITION,
            info("INSUFFICIENT_FUNDS", domain="BankAccount", available="3"),
        )
    )
    assert isinstance(error, Refused)
    assert (
        error.aggregate_type,
        error.reason,
        error.details,
    ) == ("BankAccount", "INSUFFICIENT_FUNDS", {"available": "3"})
    assert error.outcome is Outcome.NOT_DONE


@pytest.mark.parametrize(
    "details",
    [
        [],
        [ErrorInfo(reason="OVERLOADED", domain="gesta")],
        [ErrorInfo(reason="RATE_LIMITED", domain="proxy.example")],
        [Duration(seconds=1)],
    ],
)
def test_an_error_without_our_error_info_is_unknown(details: list[Any]) -> None:
    error = from_status(status(grpc.StatusCode.UNAVAILABLE, *details))
    assert isinstance(error, Unrecognised)
    assert (error.outcome, error.code) == (Outcome.UNKNOWN, grpc.StatusCode.UNAVAILABLE)


def test_details_that_cannot_be_read_are_none() -> None:
    broken = Status(code=14)
    broken.details.append(
        AnyMessage(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff\xff")
    )
    assert isinstance(from_status(broken), Unrecognised)


@pytest.mark.parametrize(
    ("code", "family"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, errors.BadRequest),
        (grpc.StatusCode.FAILED_PRECONDITION, errors.Unmet),
        (grpc.StatusCode.UNAVAILABLE, errors.TryLater),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.Expired),
        (grpc.StatusCode.INTERNAL, errors.Fault),
        (grpc.StatusCode.UNKNOWN, errors.OutcomeUnknown),
        (grpc.StatusCode.PERMISSION_DENIED, errors.Unrecognised),
    ],
)
@pytest.mark.parametrize("outcome", ["NOT_DONE", "UNKNOWN"])
def test_a_reason_from_the_future_falls_back_to_its_family(
    code: grpc.StatusCode, family: type[GestaError], outcome: str
) -> None:
    error = from_status(status(code, info("SOMETHING_NEW", outcome)))
    assert type(error) is family
    assert error.outcome == outcome


def test_a_known_reason_without_its_fields_falls_back_to_its_family() -> None:
    lacking = info("VERSION_CONFLICT", expected="three", actual="4")
    error = from_status(status(grpc.StatusCode.ABORTED, lacking))
    assert type(error) is errors.Unmet


def test_an_outcome_this_client_does_not_know_is_unknown() -> None:
    error = from_status(status(grpc.StatusCode.INTERNAL, info("INTERNAL", "PERHAPS", error_id="1")))
    assert isinstance(error, errors.InternalError)
    assert error.outcome is Outcome.UNKNOWN


def test_an_error_survives_copying_and_pickling() -> None:
    error = errors.VersionConflict(
        "text", aggregate_type="T", aggregate_id="a", expected=3, actual=4
    )
    for each in (copy.copy(error), pickle.loads(pickle.dumps(error))):
        assert (type(each), vars(each), str(each)) == (type(error), vars(error), "text")
