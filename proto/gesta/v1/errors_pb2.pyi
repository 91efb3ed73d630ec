from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_REQUEST: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_COMMAND: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_AGGREGATE_TYPE: _ClassVar[ErrorReason]
    ERROR_REASON_COMMAND_ID_REUSED: _ClassVar[ErrorReason]
    ERROR_REASON_COMMAND_ID_EXPIRED: _ClassVar[ErrorReason]
    ERROR_REASON_OUT_OF_RANGE: _ClassVar[ErrorReason]
    ERROR_REASON_VERSION_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_AGGREGATE_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_AGGREGATE_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_LIMIT_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_LOG_RESTORED: _ClassVar[ErrorReason]
    ERROR_REASON_OVERLOADED: _ClassVar[ErrorReason]
    ERROR_REASON_STORAGE_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_DRAINING: _ClassVar[ErrorReason]
    ERROR_REASON_STARTING: _ClassVar[ErrorReason]
    ERROR_REASON_STORAGE_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_EXPIRED_IN_QUEUE: _ClassVar[ErrorReason]
    ERROR_REASON_OUTCOME_UNKNOWN: _ClassVar[ErrorReason]
    ERROR_REASON_HANDLER_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_UNREADABLE_EVENT: _ClassVar[ErrorReason]
    ERROR_REASON_CORRUPT_EVENT: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVALID_REQUEST: ErrorReason
ERROR_REASON_UNKNOWN_COMMAND: ErrorReason
ERROR_REASON_UNKNOWN_AGGREGATE_TYPE: ErrorReason
ERROR_REASON_COMMAND_ID_REUSED: ErrorReason
ERROR_REASON_COMMAND_ID_EXPIRED: ErrorReason
ERROR_REASON_OUT_OF_RANGE: ErrorReason
ERROR_REASON_VERSION_CONFLICT: ErrorReason
ERROR_REASON_AGGREGATE_EXISTS: ErrorReason
ERROR_REASON_AGGREGATE_NOT_FOUND: ErrorReason
ERROR_REASON_LIMIT_EXCEEDED: ErrorReason
ERROR_REASON_LOG_RESTORED: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_STORAGE_FULL: ErrorReason
ERROR_REASON_DRAINING: ErrorReason
ERROR_REASON_STARTING: ErrorReason
ERROR_REASON_STORAGE_UNAVAILABLE: ErrorReason
ERROR_REASON_EXPIRED_IN_QUEUE: ErrorReason
ERROR_REASON_OUTCOME_UNKNOWN: ErrorReason
ERROR_REASON_HANDLER_FAILED: ErrorReason
ERROR_REASON_UNREADABLE_EVENT: ErrorReason
ERROR_REASON_CORRUPT_EVENT: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
