"""AggregateService: states, queries, lists and descriptions."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

import grpc
import msgspec

from gesta.domain.describe import describe
from gesta.engine.engine import Engine
from gesta.engine.errors import InvalidRequest, UnknownAggregateType
from gesta.server.rpc.fields import NAME_CHARS_MAX, check_id, check_type
from gesta.server.rpc.guard import Context, parse, server_stream, unary
from gesta.server.rpc.history import Histories, check_aggregate, moment_of
from gesta.server.rpc.requests import REQUEST_BYTES_MAX
from gesta.server.rpc.slots import Slots
from gesta.server.rpc.unread import Unread
from gesta.v1.aggregate_service_pb2 import (
    AggregateSummary,
    AggregateTypeDescription,
    CommandDescription,
    DescribeAggregateTypesRequest,
    DescribeAggregateTypesResponse,
    EventDescription,
    GetAggregateRequest,
    GetAggregateResponse,
    ListAggregatesRequest,
    ListAggregatesResponse,
    QueryAggregateRequest,
    QueryAggregateResponse,
    QueryDescription,
    RetiredEventDescription,
)

NAME = "gesta.v1.AggregateService"
PRINCIPAL = "anonymous"

_PAGE_SIZE = 100
_PAGE_SIZE_MAX = 1_000


class AggregateService:
    """Aggregates, from outside."""

    def __init__(self, engine: Engine, unread: Unread, reads: Slots) -> None:
        self._engine = engine
        self._unread = unread
        self._reads = reads
        self._histories = Histories(engine)

    def methods(self) -> Mapping[str, "grpc.RpcMethodHandler[bytes, bytes]"]:
        methods = {
            "GetAggregate": self.get_aggregate,
            "QueryAggregate": self.query_aggregate,
            "DryRun": self._histories.dry_run,
            "ListAggregates": self.list_aggregates,
            "DescribeAggregateTypes": self.describe_aggregate_types,
        }
        handlers = {
            name: unary(method, writes=False, unread=self._unread)
            for name, method in methods.items()
        }
        return handlers | {"ReadHistory": server_stream(self._histories.read_history, self._reads)}

    async def get_aggregate(self, data: bytes, context: Context) -> bytes:
        request = parse(GetAggregateRequest, data, REQUEST_BYTES_MAX)
        check_aggregate(
            self._engine, request.aggregate_type, request.aggregate_id, request.min_token
        )
        named, at = (request.aggregate_type, request.aggregate_id), moment_of(request)
        if at is None:
            read = await self._engine.reads.state(*named)
        else:
            read = await self._engine.history.state(*named, at)
        return GetAggregateResponse(
            version=read.version,
            state=read.data,
            position=read.head,
            token=self._engine.tokens.mint(read.head),
        ).SerializeToString()

    async def query_aggregate(self, data: bytes, context: Context) -> bytes:
        request = parse(QueryAggregateRequest, data, REQUEST_BYTES_MAX)
        check_aggregate(
            self._engine, request.aggregate_type, request.aggregate_id, request.min_token
        )
        if not 0 < len(request.query) <= NAME_CHARS_MAX:
            raise InvalidRequest("query", f"must have 1 to {NAME_CHARS_MAX} characters")
        read = await self._engine.reads.query(
            request.aggregate_type,
            request.aggregate_id,
            request.query,
            request.arguments or b"{}",
            PRINCIPAL,
        )
        return QueryAggregateResponse(
            version=read.version,
            reply=read.data,
            position=read.head,
            token=self._engine.tokens.mint(read.head),
        ).SerializeToString()

    async def list_aggregates(self, data: bytes, context: Context) -> bytes:
        request = parse(ListAggregatesRequest, data, REQUEST_BYTES_MAX)
        self._engine.check_readable()
        check_type(request.aggregate_type, "aggregate_type")
        if request.id_prefix:
            check_id(request.id_prefix, "id_prefix")
        if request.page_size < 0:
            raise InvalidRequest("page_size", "must not be negative")
        size = min(request.page_size or _PAGE_SIZE, _PAGE_SIZE_MAX)
        after = _after_id(request.page_token) if request.page_token else ""
        heads = await self._engine.reads.list(
            request.aggregate_type, request.id_prefix, after, size + 1
        )
        page = heads[:size]
        more = len(heads) > size
        return ListAggregatesResponse(
            aggregates=[
                AggregateSummary(
                    aggregate_type=head.stream.aggregate_type,
                    aggregate_id=head.stream.aggregate_id,
                    version=head.version,
                )
                for head in page
            ],
            next_page_token=_page_token(page[-1].stream.aggregate_id) if more else "",
        ).SerializeToString()

    async def describe_aggregate_types(self, data: bytes, context: Context) -> bytes:
        request = parse(DescribeAggregateTypesRequest, data, REQUEST_BYTES_MAX)
        types = self._engine.catalog.types
        if request.aggregate_type and request.aggregate_type not in types:
            raise UnknownAggregateType(check_type(request.aggregate_type, "aggregate_type"))
        names = [request.aggregate_type] if request.aggregate_type else sorted(types)
        return DescribeAggregateTypesResponse(
            aggregate_types=[_description(describe(types[name])) for name in names]
        ).SerializeToString()


def _description(described: Mapping[str, Any]) -> AggregateTypeDescription:
    return AggregateTypeDescription(
        name=described["name"],
        description=described["doc"],
        commands=[
            CommandDescription(**_handler(command), rejections=command["rejects"])
            for command in sorted(described["commands"], key=_name)
        ],
        queries=[
            QueryDescription(**_handler(query)) for query in sorted(described["queries"], key=_name)
        ],
        events=[
            EventDescription(
                event_type=event["name"],
                schema_version=event["schema_version"],
                description=event["doc"],
                schema=_schema(event["schema"]),
                older_versions=event["older_versions"],
            )
            for event in sorted(described["events"], key=_name)
        ],
        retired_events=[
            RetiredEventDescription(
                event_type=event["name"],
                schema_versions=event["schema_versions"],
                read_as=event["read_as"],
            )
            for event in sorted(described["retired_events"], key=_name)
        ],
        state_schema=_schema(described["state"]),
    )


def _handler(described: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": described["name"],
        "description": described["doc"],
        "arguments_schema": _schema(described["arguments"]),
        "reply_schema": _schema(described["reply"]),
    }


def _name(described: Mapping[str, Any]) -> str:
    return str(described["name"])


def _schema(schema: object) -> str:
    return msgspec.json.encode(schema).decode()


def _page_token(last_id: str) -> str:
    return base64.urlsafe_b64encode(last_id.encode()).decode()


def _after_id(page_token: str) -> str:
    try:
        return check_id(base64.urlsafe_b64decode(page_token).decode(), "page_token")
    except (binascii.Error, ValueError):
        raise InvalidRequest("page_token", "not one that this server gave") from None
