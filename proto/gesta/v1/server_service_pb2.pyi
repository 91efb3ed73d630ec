from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetServerInfoRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetServerInfoResponse(_message.Message):
    __slots__ = ("server_version", "log_id", "incarnation", "head", "token", "aggregate_types", "limits")
    SERVER_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    server_version: str
    log_id: str
    incarnation: int
    head: int
    token: str
    aggregate_types: _containers.RepeatedScalarFieldContainer[str]
    limits: Limits
    def __init__(self, server_version: _Optional[str] = ..., log_id: _Optional[str] = ..., incarnation: _Optional[int] = ..., head: _Optional[int] = ..., token: _Optional[str] = ..., aggregate_types: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("request_bytes_max", "commands_per_frame_max", "events_per_command_max", "bytes_per_command_max", "bytes_per_event_max", "metadata_bytes_max", "aggregate_id_bytes_max", "command_id_window_s")
    REQUEST_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_PER_FRAME_MAX_FIELD_NUMBER: _ClassVar[int]
    EVENTS_PER_COMMAND_MAX_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_COMMAND_MAX_FIELD_NUMBER: _ClassVar[int]
    BYTES_PER_EVENT_MAX_FIELD_NUMBER: _ClassVar[int]
    METADATA_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_WINDOW_S_FIELD_NUMBER: _ClassVar[int]
    request_bytes_max: int
    commands_per_frame_max: int
    events_per_command_max: int
    bytes_per_command_max: int
    bytes_per_event_max: int
    metadata_bytes_max: int
    aggregate_id_bytes_max: int
    command_id_window_s: int
    def __init__(self, request_bytes_max: _Optional[int] = ..., commands_per_frame_max: _Optional[int] = ..., events_per_command_max: _Optional[int] = ..., bytes_per_command_max: _Optional[int] = ..., bytes_per_event_max: _Optional[int] = ..., metadata_bytes_max: _Optional[int] = ..., aggregate_id_bytes_max: _Optional[int] = ..., command_id_window_s: _Optional[int] = ...) -> None: ...
