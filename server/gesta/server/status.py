"""The one table from the engine's errors to gRPC: code, reason, and what goes with it.

The client has the mirror of it. A test holds both against the ErrorReason enum.
"""

from collections.abc import Mapping
from uuid import UUID

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from gesta.domain.names import RESERVED_TYPE
from gesta.engine import errors
from gesta.engine.errors import EngineError

DOMAIN = RESERVED_TYPE
"""The ErrorInfo domain of every error but a refusal, whose domain is the aggregate type."""

STATUS_BYTES_MAX = 4_096
"""A packed status travels in HTTP/2 trailers. Beyond 8 KiB a client may lose it, and with it the
code; half of that is ours."""

_TEXT_BYTES_MAX = 512
"""Of one text in a status. The message stands in the trailers a second time, percent-encoded: three
bytes for each that is not ASCII."""

TABLE: Mapping[type[EngineError], tuple[grpc.StatusCode, str]] = {
    errors.InvalidRequest: (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"),
    errors.UnknownCommand: (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_COMMAND"),
    errors.UnknownAggregateType: (grpc.StatusCode.INVALID_ARGUMENT, "UNKNOWN_AGGREGATE_TYPE"),
    errors.CommandIdReused: (grpc.StatusCode.INVALID_ARGUMENT, "COMMAND_ID_REUSED"),
    errors.CommandIdExpired: (grpc.StatusCode.INVALID_ARGUMENT, "COMMAND_ID_EXPIRED"),
    errors.OutOfRange: (grpc.StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"),
    errors.VersionConflict: (grpc.StatusCode.ABORTED, "VERSION_CONFLICT"),
    errors.AggregateExists: (grpc.StatusCode.ALREADY_EXISTS, "AGGREGATE_EXISTS"),
    errors.AggregateNotFound: (grpc.StatusCode.NOT_FOUND, "AGGREGATE_NOT_FOUND"),
    errors.SessionSuperseded: (grpc.StatusCode.FAILED_PRECONDITION, "SESSION_SUPERSEDED"),
    errors.LimitExceeded: (grpc.StatusCode.FAILED_PRECONDITION, "LIMIT_EXCEEDED"),
    errors.LogRestored: (grpc.StatusCode.FAILED_PRECONDITION, "LOG_RESTORED"),
    errors.Overloaded: (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED"),
    errors.StorageIsFull: (grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL"),
    errors.Draining: (grpc.StatusCode.UNAVAILABLE, "DRAINING"),
    errors.Starting: (grpc.StatusCode.UNAVAILABLE, "STARTING"),
    errors.StorageUnavailable: (grpc.StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE"),
    errors.ExpiredInQueue: (grpc.StatusCode.DEADLINE_EXCEEDED, "EXPIRED_IN_QUEUE"),
    errors.OutcomeUnknown: (grpc.StatusCode.UNKNOWN, "OUTCOME_UNKNOWN"),
    errors.HandlerBroken: (grpc.StatusCode.INTERNAL, "HANDLER_FAILED"),
    errors.UnreadableEvent: (grpc.StatusCode.INTERNAL, "UNREADABLE_EVENT"),
    errors.CorruptEvent: (grpc.StatusCode.DATA_LOSS, "CORRUPT_EVENT"),
    errors.InternalError: (grpc.StatusCode.INTERNAL, "INTERNAL"),
}

_FIELDS: Mapping[type[EngineError], tuple[str, ...]] = {
    errors.InvalidRequest: ("field",),
    errors.UnknownCommand: ("aggregate_type", "command"),
    errors.UnknownAggregateType: ("aggregate_type",),
    errors.CommandIdReused: ("command_id",),
    errors.CommandIdExpired: ("command_id", "window_s"),
    errors.OutOfRange: ("field", "asked", "first", "last"),
    errors.VersionConflict: ("aggregate_type", "aggregate_id", "expected", "actual"),
    errors.AggregateExists: ("aggregate_type", "aggregate_id", "actual"),
    errors.AggregateNotFound: ("aggregate_type", "aggregate_id"),
    errors.SessionSuperseded: ("name", "session"),
    errors.LimitExceeded: ("limit", "maximum"),
    errors.LogRestored: ("fork_position",),
    errors.Overloaded: ("what",),
    errors.HandlerBroken: ("error_id",),
    errors.UnreadableEvent: ("error_id", "position"),
    errors.CorruptEvent: ("position",),
    errors.InternalError: ("error_id",),
}


def status_of(error: EngineError) -> status_pb2.Status:
    """The error as a google.rpc.Status of at most STATUS_BYTES_MAX bytes."""
    if isinstance(error, errors.Refused):
        code, reason, domain = (
            grpc.StatusCode.FAILED_PRECONDITION,
            error.reason,
            error.aggregate_type,
        )
        metadata = {_sound(key): _sound(value) for key, value in error.details.items()}
    else:
        code, reason = TABLE[type(error)]
        domain = DOMAIN
        metadata = {
            name: _text(value)
            for name in _FIELDS.get(type(error), ())
            if (value := getattr(error, name)) is not None
        }
    metadata["outcome"] = error.outcome.value
    status = status_pb2.Status(code=code.value[0], message=_short(str(error)))
    info = error_details_pb2.ErrorInfo(reason=reason, domain=domain, metadata=metadata)
    status.details.append(_any(info))
    if isinstance(error, errors.TryLater):
        delay = duration_pb2.Duration()
        delay.FromMilliseconds(error.retry_after_ms)
        status.details.append(_any(error_details_pb2.RetryInfo(retry_delay=delay)))
    if isinstance(error, errors.InvalidRequest) and error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=_short(error.field), description=_short(error.detail)
        )
        status.details.append(_any(error_details_pb2.BadRequest(field_violations=[violation])))
    return status if status.ByteSize() <= STATUS_BYTES_MAX else _bare(status, info)


def code_of(status: status_pb2.Status) -> grpc.StatusCode:
    """The gRPC code of a status."""
    return _CODES[status.code]


_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


def _any(
    message: Message,
) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _bare(status: status_pb2.Status, info: error_details_pb2.ErrorInfo) -> status_pb2.Status:
    """The same without what the domain attached: too large a detail must not cost the reason."""
    bare = error_details_pb2.ErrorInfo(
        reason=info.reason, domain=info.domain, metadata={"outcome": info.metadata["outcome"]}
    )
    short = status_pb2.Status(code=status.code, message=status.message)
    short.details.append(_any(bare))
    return short


def _text(value: object) -> str:
    return str(UUID(bytes=value)) if isinstance(value, bytes) else _short(str(value))


def _short(text: str) -> str:
    encoded = text.encode(errors="replace")
    if len(encoded) <= _TEXT_BYTES_MAX:
        return encoded.decode()
    return encoded[: _TEXT_BYTES_MAX - 3].decode(errors="ignore") + "..."


def _sound(text: str) -> str:
    """UTF-8: half a surrogate pair in an author's text must not cost the answer."""
    return text.encode(errors="replace").decode()
