import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordedEvent(_message.Message):
    __slots__ = ("position", "aggregate_type", "aggregate_id", "version", "event_id", "event_type", "schema_version", "data", "commit_time", "occurred_at", "command_id", "correlation_id", "causation_id", "principal", "traceparent", "metadata", "more_in_command", "part")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    POSITION_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    COMMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSATION_ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    MORE_IN_COMMAND_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    position: int
    aggregate_type: str
    aggregate_id: str
    version: int
    event_id: bytes
    event_type: str
    schema_version: int
    data: bytes
    commit_time: _timestamp_pb2.Timestamp
    occurred_at: _timestamp_pb2.Timestamp
    command_id: bytes
    correlation_id: str
    causation_id: str
    principal: str
    traceparent: str
    metadata: _containers.ScalarMap[str, str]
    more_in_command: bool
    part: int
    def __init__(self, position: _Optional[int] = ..., aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., version: _Optional[int] = ..., event_id: _Optional[bytes] = ..., event_type: _Optional[str] = ..., schema_version: _Optional[int] = ..., data: _Optional[bytes] = ..., commit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., command_id: _Optional[bytes] = ..., correlation_id: _Optional[str] = ..., causation_id: _Optional[str] = ..., principal: _Optional[str] = ..., traceparent: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., more_in_command: bool = ..., part: _Optional[int] = ...) -> None: ...

class EventFilter(_message.Message):
    __slots__ = ("items",)
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[EventFilterItem]
    def __init__(self, items: _Optional[_Iterable[_Union[EventFilterItem, _Mapping]]] = ...) -> None: ...

class EventFilterItem(_message.Message):
    __slots__ = ("aggregate_types", "event_types", "id_prefix", "correlation_id", "command_id")
    AGGREGATE_TYPES_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPES_FIELD_NUMBER: _ClassVar[int]
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    aggregate_types: _containers.RepeatedScalarFieldContainer[str]
    event_types: _containers.RepeatedScalarFieldContainer[str]
    id_prefix: str
    correlation_id: str
    command_id: bytes
    def __init__(self, aggregate_types: _Optional[_Iterable[str]] = ..., event_types: _Optional[_Iterable[str]] = ..., id_prefix: _Optional[str] = ..., correlation_id: _Optional[str] = ..., command_id: _Optional[bytes] = ...) -> None: ...
