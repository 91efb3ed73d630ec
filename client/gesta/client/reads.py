"""What is asked in one call: states, queries, lists, and what the server says of itself."""

from collections.abc import AsyncGenerator, Callable
from datetime import datetime
from typing import TypedDict, TypeVar

from gesta.client import descriptions
from gesta.client.connection import Connection
from gesta.client.errors import Outcome
from gesta.client.payloads import decode_answer
from gesta.client.results import AggregateSummary, State
from gesta.client.times import to_timestamp
from gesta.v1 import aggregate_service_pb2 as wire
from gesta.v1.server_service_pb2 import GetServerInfoRequest

T = TypeVar("T")


class Moment(TypedDict, total=False):
    """When to look, as keywords; at most one. Without any: now."""

    at_version: int
    """After this version, 1 or more."""
    at_position: int
    """After the aggregate's last event at or before this position."""
    at_time: datetime
    """After its last event committed at or before this time, which must have a zone."""


PAGE_SIZE = 1_000
"""Aggregates fetched together in a list; the server's most."""


async def get_state(
    connection: Connection,
    aggregate_type: str,
    aggregate_id: str,
    decode: Callable[[bytes], T],
    min_token: str | None,
    timeout_s: float | None,
    moment: Moment,
) -> State[T]:
    """The state, by `decode`. Raises AggregateNotFound, OutOfRange, UnreadableAnswer; ValueError
    for two moments at once, or a time without a zone."""
    request = wire.GetAggregateRequest(
        aggregate_type=aggregate_type, aggregate_id=aggregate_id, min_token=min_token
    )
    _set_moment(request, moment)
    answer = await connection.ask(
        connection.aggregates.GetAggregate, request, connection.attempts(timeout_s)
    )
    state = decode_answer(decode, answer.state, Outcome.NOT_DONE)
    return State(state, answer.version, answer.position, answer.token)


async def ask_query(
    connection: Connection,
    aggregate_type: str,
    aggregate_id: str,
    query: str,
    arguments: bytes,
    decode: Callable[[bytes], T],
    min_token: str | None,
    timeout_s: float | None,
) -> T:
    """The reply, by `decode`. Raises AggregateNotFound, UnreadableAnswer."""
    answer = await connection.ask(
        connection.aggregates.QueryAggregate,
        wire.QueryAggregateRequest(
            aggregate_type=aggregate_type,
            aggregate_id=aggregate_id,
            query=query,
            arguments=arguments,
            min_token=min_token,
        ),
        connection.attempts(timeout_s),
    )
    return decode_answer(decode, answer.reply, Outcome.NOT_DONE)


async def list_aggregates(
    connection: Connection, aggregate_type: str, id_prefix: str, timeout_s: float | None
) -> AsyncGenerator[AggregateSummary, None]:
    """By id, in byte order; `timeout_s` is for each page."""
    request = wire.ListAggregatesRequest(
        aggregate_type=aggregate_type, id_prefix=id_prefix, page_size=PAGE_SIZE
    )
    while True:
        page = await connection.ask(
            connection.aggregates.ListAggregates, request, connection.attempts(timeout_s)
        )
        for each in page.aggregates:
            yield AggregateSummary(each.aggregate_type, each.aggregate_id, each.version)
        if not page.next_page_token:
            return
        request.page_token = page.next_page_token


async def describe(
    connection: Connection, aggregate_type: str | None, timeout_s: float | None
) -> list[descriptions.AggregateTypeDescription]:
    """One type, or all."""
    answer = await connection.ask(
        connection.aggregates.DescribeAggregateTypes,
        wire.DescribeAggregateTypesRequest(aggregate_type=aggregate_type),
        connection.attempts(timeout_s),
    )
    return [descriptions.aggregate_type_description(each) for each in answer.aggregate_types]


async def info(connection: Connection, timeout_s: float | None) -> descriptions.ServerInfo:
    """The server's facts."""
    answer = await connection.ask(
        connection.server.GetServerInfo, GetServerInfoRequest(), connection.attempts(timeout_s)
    )
    return descriptions.server_info(answer)


def _set_moment(request: wire.GetAggregateRequest, moment: Moment) -> None:
    if len(moment) > 1:
        raise ValueError(f"one moment at a time, not {' and '.join(moment)}")
    if "at_version" in moment:
        request.at_version = moment["at_version"]
    elif "at_position" in moment:
        request.at_position = moment["at_position"]
    elif "at_time" in moment:
        request.at_time.CopyFrom(to_timestamp(moment["at_time"]))
