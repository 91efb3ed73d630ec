"""From a gRPC status to one of our errors: the mirror of the server's table."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from types import MappingProxyType
from typing import Any, TypeVar

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from gesta.client import errors
from gesta.client.errors import GestaError, Outcome, Refused, TryLater, Unrecognised

M = TypeVar("M", ErrorInfo, RetryInfo)

DOMAIN = "gesta"
"""The ErrorInfo domain of every error but the refusals."""

_REASONED: tuple[type[GestaError], ...] = (
    errors.InvalidRequest,
    errors.UnknownCommand,
    errors.UnknownAggregateType,
    errors.CommandIdReused,
    errors.CommandIdExpired,
    errors.OutOfRange,
    errors.VersionConflict,
    errors.AggregateExists,
    errors.AggregateNotFound,
    errors.SessionSuperseded,
    errors.LimitExceeded,
    errors.LogRestored,
    errors.Overloaded,
    errors.StorageFull,
    errors.Draining,
    errors.Starting,
    errors.StorageUnavailable,
    errors.ExpiredInQueue,
    errors.OutcomeUnknown,
    errors.HandlerFailed,
    errors.UnreadableEvent,
    errors.CorruptEvent,
    errors.InternalError,
)
ERROR_OF_REASON: Mapping[str, type[GestaError]] = MappingProxyType(
    {error.reason: error for error in _REASONED}
)
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_FAMILY_OF_CODE: Mapping[grpc.StatusCode, type[GestaError]] = MappingProxyType(
    {
        grpc.StatusCode.INVALID_ARGUMENT: errors.BadRequest,
        grpc.StatusCode.OUT_OF_RANGE: errors.BadRequest,
        grpc.StatusCode.FAILED_PRECONDITION: errors.Unmet,
        grpc.StatusCode.ABORTED: errors.Unmet,
        grpc.StatusCode.ALREADY_EXISTS: errors.Unmet,
        grpc.StatusCode.NOT_FOUND: errors.Unmet,
        grpc.StatusCode.RESOURCE_EXHAUSTED: errors.TryLater,
        grpc.StatusCode.UNAVAILABLE: errors.TryLater,
        grpc.StatusCode.DEADLINE_EXCEEDED: errors.Expired,
        grpc.StatusCode.UNKNOWN: errors.OutcomeUnknown,
        grpc.StatusCode.INTERNAL: errors.Fault,
        grpc.StatusCode.DATA_LOSS: errors.Fault,
    }
)


def from_rpc_error(error: grpc.aio.AioRpcError) -> GestaError:
    """The error that a call ended with."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            try:
                return from_status(Status.FromString(value))
            except DecodeError:
                break
    return Unrecognised(error.details() or "", code=error.code())


def from_status(status: Status) -> GestaError:
    """The error that a status stands for. Without a readable ErrorInfo it is Unrecognised."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    info = _detail(status.details, ErrorInfo)
    if info is None or "outcome" not in info.metadata:
        return Unrecognised(status.message, code=code)
    metadata = dict(info.metadata)
    outcome = Outcome.NOT_DONE if metadata.pop("outcome") == Outcome.NOT_DONE else Outcome.UNKNOWN
    if info.domain != DOMAIN:
        return Refused(
            status.message, aggregate_type=info.domain, reason=info.reason, details=metadata
        )
    named = ERROR_OF_REASON.get(info.reason)
    error = None if named is None else _with_fields(named, status.message, outcome, metadata)
    if error is None:
        family = _FAMILY_OF_CODE.get(code)
        if family is None:
            error = Unrecognised(status.message, outcome=outcome, code=code)
        else:
            error = family(f"{info.reason}: {status.message}", outcome=outcome)
    if isinstance(error, TryLater):
        retry = _detail(status.details, RetryInfo)
        error.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds() if retry else 0.0
    return error


def _with_fields(
    error_class: type[GestaError], message: str, outcome: Outcome, metadata: Mapping[str, str]
) -> GestaError | None:
    """None where the metadata lacks a field, or has one that is not of its type."""
    given: dict[str, Any] = {}
    for declared in fields(error_class):
        text = metadata.get(declared.name)
        if text is not None and declared.name != "message":
            try:
                given[declared.name] = int(text) if declared.type in (int, int | None) else text
            except ValueError:
                return None
    try:
        return error_class(message, outcome=outcome, **given)
    except TypeError:
        return None


def _detail(details: Sequence[AnyMessage], wanted: type[M]) -> M | None:
    """The first detail of a type, if it can be read."""
    for packed in details:
        if packed.Is(wanted.DESCRIPTOR):
            try:
                return wanted.FromString(packed.value)
            except DecodeError:
                return None
    return None
