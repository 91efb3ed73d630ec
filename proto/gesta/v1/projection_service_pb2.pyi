import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportCheckpointRequest(_message.Message):
    __slots__ = ("name", "session", "token")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    name: str
    session: bytes
    token: str
    def __init__(self, name: _Optional[str] = ..., session: _Optional[bytes] = ..., token: _Optional[str] = ...) -> None: ...

class ReportCheckpointResponse(_message.Message):
    __slots__ = ("silent_after_ms",)
    SILENT_AFTER_MS_FIELD_NUMBER: _ClassVar[int]
    silent_after_ms: int
    def __init__(self, silent_after_ms: _Optional[int] = ...) -> None: ...

class ListProjectionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListProjectionsResponse(_message.Message):
    __slots__ = ("projections", "head")
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    projections: _containers.RepeatedCompositeFieldContainer[ProjectionReport]
    head: int
    def __init__(self, projections: _Optional[_Iterable[_Union[ProjectionReport, _Mapping]]] = ..., head: _Optional[int] = ...) -> None: ...

class ProjectionReport(_message.Message):
    __slots__ = ("name", "position", "lag_events", "lag", "reported_at", "silent", "session")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAG_EVENTS_FIELD_NUMBER: _ClassVar[int]
    LAG_FIELD_NUMBER: _ClassVar[int]
    REPORTED_AT_FIELD_NUMBER: _ClassVar[int]
    SILENT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    name: str
    position: int
    lag_events: int
    lag: _duration_pb2.Duration
    reported_at: _timestamp_pb2.Timestamp
    silent: bool
    session: bytes
    def __init__(self, name: _Optional[str] = ..., position: _Optional[int] = ..., lag_events: _Optional[int] = ..., lag: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., reported_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., silent: bool = ..., session: _Optional[bytes] = ...) -> None: ...

class WaitForProjectionRequest(_message.Message):
    __slots__ = ("names", "token", "timeout_ms")
    NAMES_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MS_FIELD_NUMBER: _ClassVar[int]
    names: _containers.RepeatedScalarFieldContainer[str]
    token: str
    timeout_ms: int
    def __init__(self, names: _Optional[_Iterable[str]] = ..., token: _Optional[str] = ..., timeout_ms: _Optional[int] = ...) -> None: ...

class WaitForProjectionResponse(_message.Message):
    __slots__ = ("pending",)
    PENDING_FIELD_NUMBER: _ClassVar[int]
    pending: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, pending: _Optional[_Iterable[str]] = ...) -> None: ...
