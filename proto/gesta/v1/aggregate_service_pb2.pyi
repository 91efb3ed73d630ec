import datetime

from gesta.v1 import event_pb2 as _event_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetAggregateRequest(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "min_token", "at_version", "at_position", "at_time")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    AT_VERSION_FIELD_NUMBER: _ClassVar[int]
    AT_POSITION_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    min_token: str
    at_version: int
    at_position: int
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., min_token: _Optional[str] = ..., at_version: _Optional[int] = ..., at_position: _Optional[int] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetAggregateResponse(_message.Message):
    __slots__ = ("version", "state", "position", "token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: int
    state: bytes
    position: int
    token: str
    def __init__(self, version: _Optional[int] = ..., state: _Optional[bytes] = ..., position: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class QueryAggregateRequest(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "query", "arguments", "min_token")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    QUERY_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    MIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    query: str
    arguments: bytes
    min_token: str
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., query: _Optional[str] = ..., arguments: _Optional[bytes] = ..., min_token: _Optional[str] = ...) -> None: ...

class QueryAggregateResponse(_message.Message):
    __slots__ = ("version", "reply", "position", "token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: int
    reply: bytes
    position: int
    token: str
    def __init__(self, version: _Optional[int] = ..., reply: _Optional[bytes] = ..., position: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class ReadHistoryRequest(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "after_version", "limit")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    after_version: int
    limit: int
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., after_version: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ReadHistoryResponse(_message.Message):
    __slots__ = ("entries",)
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    def __init__(self, entries: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ...) -> None: ...

class HistoryEntry(_message.Message):
    __slots__ = ("event", "state_before", "state")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.RecordedEvent
    state_before: bytes
    state: bytes
    def __init__(self, event: _Optional[_Union[_event_pb2.RecordedEvent, _Mapping]] = ..., state_before: _Optional[bytes] = ..., state: _Optional[bytes] = ...) -> None: ...

class DryRunRequest(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "command", "arguments", "at_version", "min_token")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    COMMAND_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    AT_VERSION_FIELD_NUMBER: _ClassVar[int]
    MIN_TOKEN_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    command: str
    arguments: bytes
    at_version: int
    min_token: str
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., command: _Optional[str] = ..., arguments: _Optional[bytes] = ..., at_version: _Optional[int] = ..., min_token: _Optional[str] = ...) -> None: ...

class DryRunResponse(_message.Message):
    __slots__ = ("version", "events", "reply", "refusal", "state", "position", "token")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    REPLY_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    version: int
    events: _containers.RepeatedCompositeFieldContainer[DryRunEvent]
    reply: bytes
    refusal: _status_pb2.Status
    state: bytes
    position: int
    token: str
    def __init__(self, version: _Optional[int] = ..., events: _Optional[_Iterable[_Union[DryRunEvent, _Mapping]]] = ..., reply: _Optional[bytes] = ..., refusal: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., state: _Optional[bytes] = ..., position: _Optional[int] = ..., token: _Optional[str] = ...) -> None: ...

class DryRunEvent(_message.Message):
    __slots__ = ("event_type", "schema_version", "data")
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    event_type: str
    schema_version: int
    data: bytes
    def __init__(self, event_type: _Optional[str] = ..., schema_version: _Optional[int] = ..., data: _Optional[bytes] = ...) -> None: ...

class ListAggregatesRequest(_message.Message):
    __slots__ = ("aggregate_type", "id_prefix", "page_size", "page_token")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_PREFIX_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    id_prefix: str
    page_size: int
    page_token: str
    def __init__(self, aggregate_type: _Optional[str] = ..., id_prefix: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAggregatesResponse(_message.Message):
    __slots__ = ("aggregates", "next_page_token")
    AGGREGATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    aggregates: _containers.RepeatedCompositeFieldContainer[AggregateSummary]
    next_page_token: str
    def __init__(self, aggregates: _Optional[_Iterable[_Union[AggregateSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AggregateSummary(_message.Message):
    __slots__ = ("aggregate_type", "aggregate_id", "version")
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    AGGREGATE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    aggregate_id: str
    version: int
    def __init__(self, aggregate_type: _Optional[str] = ..., aggregate_id: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...

class DescribeAggregateTypesRequest(_message.Message):
    __slots__ = ("aggregate_type",)
    AGGREGATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    aggregate_type: str
    def __init__(self, aggregate_type: _Optional[str] = ...) -> None: ...

class DescribeAggregateTypesResponse(_message.Message):
    __slots__ = ("aggregate_types",)
    AGGREGATE_TYPES_FIELD_NUMBER: _ClassVar[int]
    aggregate_types: _containers.RepeatedCompositeFieldContainer[AggregateTypeDescription]
    def __init__(self, aggregate_types: _Optional[_Iterable[_Union[AggregateTypeDescription, _Mapping]]] = ...) -> None: ...

class AggregateTypeDescription(_message.Message):
    __slots__ = ("name", "description", "commands", "queries", "events", "state_schema", "retired_events")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    COMMANDS_FIELD_NUMBER: _ClassVar[int]
    QUERIES_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    STATE_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    RETIRED_EVENTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    commands: _containers.RepeatedCompositeFieldContainer[CommandDescription]
    queries: _containers.RepeatedCompositeFieldContainer[QueryDescription]
    events: _containers.RepeatedCompositeFieldContainer[EventDescription]
    state_schema: str
    retired_events: _containers.RepeatedCompositeFieldContainer[RetiredEventDescription]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., commands: _Optional[_Iterable[_Union[CommandDescription, _Mapping]]] = ..., queries: _Optional[_Iterable[_Union[QueryDescription, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[EventDescription, _Mapping]]] = ..., state_schema: _Optional[str] = ..., retired_events: _Optional[_Iterable[_Union[RetiredEventDescription, _Mapping]]] = ...) -> None: ...

class CommandDescription(_message.Message):
    __slots__ = ("name", "description", "arguments_schema", "reply_schema", "rejections")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REPLY_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REJECTIONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    arguments_schema: str
    reply_schema: str
    rejections: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., arguments_schema: _Optional[str] = ..., reply_schema: _Optional[str] = ..., rejections: _Optional[_Iterable[str]] = ...) -> None: ...

class QueryDescription(_message.Message):
    __slots__ = ("name", "description", "arguments_schema", "reply_schema")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    REPLY_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    arguments_schema: str
    reply_schema: str
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., arguments_schema: _Optional[str] = ..., reply_schema: _Optional[str] = ...) -> None: ...

class EventDescription(_message.Message):
    __slots__ = ("event_type", "schema_version", "description", "schema", "older_versions")
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    OLDER_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    event_type: str
    schema_version: int
    description: str
    schema: str
    older_versions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, event_type: _Optional[str] = ..., schema_version: _Optional[int] = ..., description: _Optional[str] = ..., schema: _Optional[str] = ..., older_versions: _Optional[_Iterable[int]] = ...) -> None: ...

class RetiredEventDescription(_message.Message):
    __slots__ = ("event_type", "schema_versions", "read_as")
    EVENT_TYPE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSIONS_FIELD_NUMBER: _ClassVar[int]
    READ_AS_FIELD_NUMBER: _ClassVar[int]
    event_type: str
    schema_versions: _containers.RepeatedScalarFieldContainer[int]
    read_as: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_type: _Optional[str] = ..., schema_versions: _Optional[_Iterable[int]] = ..., read_as: _Optional[_Iterable[str]] = ...) -> None: ...
