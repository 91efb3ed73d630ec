import datetime

from gesta.v1 import event_pb2 as _event_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReadEventsRequest(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "filter", "after_position", "after_version", "after_token", "after_time", "backwards", "limit", "as_stored")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    AFTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AFTER_TIME_FIELD_NUMBER: _ClassVar[int]
    BACKWARDS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    AS_STORED_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    filter: _event_pb2.EventFilter
    after_position: int
    after_version: int
    after_token: str
    after_time: _timestamp_pb2.Timestamp
    backwards: bool
    limit: int
    as_stored: bool
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., filter: _Optional[_Union[_event_pb2.EventFilter, _Mapping]] = ..., after_position: _Optional[int] = ..., after_version: _Optional[int] = ..., after_token: _Optional[str] = ..., after_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., backwards: bool = ..., limit: _Optional[int] = ..., as_stored: bool = ...) -> None: ...

class ReadEventsResponse(_message.Message):
    __slots__ = ("events", "token", "head")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.RecordedEvent]
    token: str
    head: int
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.RecordedEvent, _Mapping]]] = ..., token: _Optional[str] = ..., head: _Optional[int] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("after_token", "from_now", "filter", "heartbeat_s", "as_stored")
    AFTER_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FROM_NOW_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_S_FIELD_NUMBER: _ClassVar[int]
    AS_STORED_FIELD_NUMBER: _ClassVar[int]
    after_token: str
    from_now: bool
    filter: _event_pb2.EventFilter
    heartbeat_s: int
    as_stored: bool
    def __init__(self, after_token: _Optional[str] = ..., from_now: bool = ..., filter: _Optional[_Union[_event_pb2.EventFilter, _Mapping]] = ..., heartbeat_s: _Optional[int] = ..., as_stored: bool = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("started", "batch", "checkpoint", "caught_up", "fell_behind", "heartbeat", "draining")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    FELL_BEHIND_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    started: SubscriptionStarted
    batch: EventBatch
    checkpoint: Checkpoint
    caught_up: CaughtUp
    fell_behind: FellBehind
    heartbeat: Heartbeat
    draining: Draining
    def __init__(self, started: _Optional[_Union[SubscriptionStarted, _Mapping]] = ..., batch: _Optional[_Union[EventBatch, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., caught_up: _Optional[_Union[CaughtUp, _Mapping]] = ..., fell_behind: _Optional[_Union[FellBehind, _Mapping]] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., draining: _Optional[_Union[Draining, _Mapping]] = ...) -> None: ...

class SubscriptionStarted(_message.Message):
    __slots__ = ("token", "position")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    token: str
    position: int
    def __init__(self, token: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class EventBatch(_message.Message):
    __slots__ = ("events", "checkpoint")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.RecordedEvent]
    checkpoint: str
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.RecordedEvent, _Mapping]]] = ..., checkpoint: _Optional[str] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("token", "position")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    token: str
    position: int
    def __init__(self, token: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class CaughtUp(_message.Message):
    __slots__ = ("token", "position")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    token: str
    position: int
    def __init__(self, token: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class FellBehind(_message.Message):
    __slots__ = ("position", "head")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    position: int
    head: int
    def __init__(self, position: _Optional[int] = ..., head: _Optional[int] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ("head",)
    HEAD_FIELD_NUMBER: _ClassVar[int]
    head: int
    def __init__(self, head: _Optional[int] = ...) -> None: ...

class Draining(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AppendEventsRequest(_message.Message):
    __slots__ = ("events", "checks", "command_id", "correlation_id", "causation_id", "traceparent")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSATION_ID_FIELD_NUMBER: _ClassVar[int]
    TRACEPARENT_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[NewEvent]
    checks: _containers.RepeatedCompositeFieldContainer[StreamCheck]
    command_id: bytes
    correlation_id: str
    causation_id: str
    traceparent: str
    def __init__(self, events: _Optional[_Iterable[_Union[NewEvent, _Mapping]]] = ..., checks: _Optional[_Iterable[_Union[StreamCheck, _Mapping]]] = ..., command_id: _Optional[bytes] = ..., correlation_id: _Optional[str] = ..., causation_id: _Optional[str] = ..., traceparent: _Optional[str] = ...) -> None: ...

class NewEvent(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "event_type", "schema_version", "data", "occurred_at", "metadata")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    event_type: str
    schema_version: int
    data: bytes
    occurred_at: _timestamp_pb2.Timestamp
    metadata: _containers.ScalarMap[str, str]
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., event_type: _Optional[str] = ..., schema_version: _Optional[int] = ..., data: _Optional[bytes] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., metadata: _Optional[_Mapping[str, str]] = ...) -> None: ...

class StreamCheck(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "expected_version", "must_exist")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    MUST_EXIST_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    expected_version: int
    must_exist: bool
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., expected_version: _Optional[int] = ..., must_exist: bool = ...) -> None: ...

class AppendEventsResponse(_message.Message):
    __slots__ = ("first_position", "position", "token", "replayed", "command_id")
    FIRST_POSITION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    COMMAND_ID_FIELD_NUMBER: _ClassVar[int]
    first_position: int
    position: int
    token: str
    replayed: bool
    command_id: bytes
    def __init__(self, first_position: _Optional[int] = ..., position: _Optional[int] = ..., token: _Optional[str] = ..., replayed: bool = ..., command_id: _Optional[bytes] = ...) -> None: ...
