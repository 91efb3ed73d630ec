"""Bad questions: reads, subscriptions, lists and tokens. Each is refused, and nothing breaks."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import StatusCode
from tests.integration.edge.caller import TIMEOUT_S, Caller
from tests.integration.edge.hosting import serving
from tests.integration.edge.refusal import all_of, refused

from gesta.v1.aggregate_service_pb2 import (
    DescribeAggregateTypesRequest,
    GetAggregateRequest,
    ListAggregatesRequest,
    QueryAggregateRequest,
)
from gesta.v1.event_pb2 import EventFilter, EventFilterItem
from gesta.v1.event_service_pb2 import SubscribeRequest

EVENTS = 3


def _filter(*items: EventFilterItem) -> EventFilter:
    return EventFilter(items=items)


_ITEM = EventFilterItem(event_types=["Added"])
FILTERS: list[tuple[EventFilter, str]] = [
    (_filter(_ITEM, EventFilterItem()), "filter.items[1]"),
    (_filter(*[_ITEM] * 65), "filter.items"),
    (_filter(EventFilterItem(aggregate_types=["T"] * 65)), "filter.items[0].aggregate_types"),
    (_filter(EventFilterItem(event_types=["E"] * 257)), "filter.items[0].event_types"),
    (_filter(EventFilterItem(event_types=[""])), "filter.items[0].event_types"),
    (_filter(EventFilterItem(aggregate_types=["T" * 101])), "filter.items[0].aggregate_types"),
    (_filter(EventFilterItem(id_prefix="a" * 256)), "filter.items[0].id_prefix"),
    (_filter(EventFilterItem(id_prefix="a\0")), "filter.items[0].id_prefix"),
    (_filter(EventFilterItem(correlation_id="c" * 129)), "filter.items[0].correlation_id"),
    (_filter(EventFilterItem(correlation_id="c\n")), "filter.items[0].correlation_id"),
    (_filter(EventFilterItem(command_id=bytes(15))), "filter.items[0].command_id"),
]
A: dict[str, Any] = {"aggregate_type": "Tally", "aggregate_id": "a"}
READS: list[tuple[dict[str, Any], str]] = [
    ({"aggregate_id": "a"}, "aggregate_type"),
    ({"aggregate_type": "Tally"}, "aggregate_id"),
    ({"aggregate_type": "Tally", "aggregate_id": "a" * 300}, "aggregate_id"),
    ({**A, "filter": _filter(_ITEM)}, "filter"),
    ({**A, "after_position": 1}, "after_position"),
    ({"after_version": 1}, "after_version"),
    ({"limit": -1}, "limit"),
    ({"after_token": "x"}, "after_token"),
    ({"after_time": Timestamp(seconds=1 << 50)}, "after_time"),
    ({"after_time": Timestamp(nanos=-1)}, "after_time"),
    *(({"filter": wrong}, field) for wrong, field in FILTERS),
]
BEYOND: list[tuple[dict[str, Any], str]] = [
    ({"after_position": -1}, "after_position"),
    ({"after_position": EVENTS + 1}, "after_position"),
    ({"after_position": -(2**63)}, "after_position"),
    ({"after_position": 2**63 - 1}, "after_position"),
    ({"after_position": -1, "backwards": True}, "after_position"),
    ({"after_position": EVENTS + 2, "backwards": True}, "after_position"),
    ({**A, "after_version": -1}, "after_version"),
    ({**A, "after_version": EVENTS + 1}, "after_version"),
    ({**A, "after_version": 2**63 - 1, "backwards": True}, "after_version"),
]
SUBSCRIPTIONS: list[tuple[dict[str, Any], str]] = [
    ({"heartbeat_s": -1}, "heartbeat_s"),
    ({"heartbeat_s": 61}, "heartbeat_s"),
    ({"after_token": "x"}, "after_token"),
    ({"after_token": ""}, "after_token"),
    *(({"filter": wrong}, field) for wrong, field in FILTERS),
]
LISTS: list[tuple[dict[str, Any], str]] = [
    ({}, "aggregate_type"),
    ({"aggregate_type": "Tally", "page_size": -1}, "page_size"),
    ({"aggregate_type": "Tally", "id_prefix": "\n"}, "id_prefix"),
    ({"aggregate_type": "Tally", "page_token": "no token"}, "page_token"),
    ({"aggregate_type": "Tally", "page_token": "/////w=="}, "page_token"),
    ({"aggregate_type": "Tally", "page_token": "é"}, "page_token"),
    ({"aggregate_type": "Tally", "page_token": "YQ"}, "page_token"),
    ({"aggregate_type": "Tally", "page_token": "A" * 4_000}, "page_token"),
]


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """A server with one Tally, "a", of three events."""
    async with serving() as caller:
        for _ in range(EVENTS):
            await caller.execute("a", "add", {"amount": 1})
        yield caller


async def test_a_bad_read_is_refused_with_its_field(caller: Caller) -> None:
    for fields, field in READS:
        problem = await refused(caller, caller.read(**fields))
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"), fields
        assert problem.field == field, fields


async def test_a_read_beyond_the_log_is_out_of_range(caller: Caller) -> None:
    for fields, field in BEYOND:
        problem = await refused(caller, caller.read(**fields))
        assert problem[:2] == (StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE"), fields
        assert problem.metadata["last"] == str(EVENTS)
        assert problem.metadata["field"] == field, fields


async def test_a_read_at_the_very_ends_of_the_log_is_fine(caller: Caller) -> None:
    ends: list[tuple[dict[str, Any], list[int]]] = [
        ({"after_position": 0}, [1, 2, 3]),
        ({"after_position": 3}, []),
        ({"after_position": 4, "backwards": True}, [3, 2, 1]),
        ({"after_position": 0, "backwards": True}, []),
        ({**A, "after_version": 3}, []),
        ({**A, "after_version": 4, "backwards": True}, [3, 2, 1]),
        ({"after_time": Timestamp(seconds=-62_135_596_800)}, [1, 2, 3]),
        ({"after_time": Timestamp(seconds=253_402_300_799)}, []),
        ({"limit": 2**63 - 1}, [1, 2, 3]),
    ]
    for fields, expected in ends:
        assert [event.position for event in await caller.read(**fields)] == expected, fields


async def test_a_bad_subscription_is_refused_with_its_field(caller: Caller) -> None:
    for fields, field in SUBSCRIPTIONS:
        call = caller.events.Subscribe(SubscribeRequest(**fields), timeout=TIMEOUT_S)
        problem = await refused(caller, all_of(call))
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"), fields
        assert problem.field == field, fields


async def test_a_bad_list_is_refused_with_its_field(caller: Caller) -> None:
    for fields, field in LISTS:
        request = ListAggregatesRequest(**fields)
        call = caller.aggregates.ListAggregates(request, timeout=TIMEOUT_S)
        problem = await refused(caller, call)
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"), fields
        assert problem.field == field, fields


async def test_a_bad_query_is_refused_with_its_field(caller: Caller) -> None:
    queries: list[tuple[dict[str, Any], str, str]] = [
        ({"query": ""}, "INVALID_REQUEST", "query"),
        ({"query": "q" * 101}, "INVALID_REQUEST", "query"),
        ({"query": "add"}, "UNKNOWN_COMMAND", ""),
        ({"query": "sum_of", "arguments": b"{"}, "INVALID_REQUEST", "arguments"),
        ({"query": "sum_of", "arguments": b'{"of":1}'}, "INVALID_REQUEST", "arguments.of"),
        ({"query": "sum_of", "min_token": "x"}, "INVALID_REQUEST", "min_token"),
        ({"query": "sum_of", "aggregate_id": ""}, "INVALID_REQUEST", "aggregate_id"),
        ({"query": "sum_of", "aggregate_type": "No"}, "UNKNOWN_AGGREGATE_TYPE", ""),
    ]
    for fields, reason, field in queries:
        request = QueryAggregateRequest(**(A | fields))
        call = caller.aggregates.QueryAggregate(request, timeout=TIMEOUT_S)
        problem = await refused(caller, call)
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, reason), fields
        assert problem.field == field, fields
    request = QueryAggregateRequest(**A, query="sum_of", arguments=b'{"factor":2}')
    answer = await caller.aggregates.QueryAggregate(request, timeout=TIMEOUT_S)
    assert answer.reply == b"6"


async def test_what_does_not_exist_is_not_found(caller: Caller) -> None:
    request = GetAggregateRequest(aggregate_type="Tally", aggregate_id="b")
    call = caller.aggregates.GetAggregate(request, timeout=TIMEOUT_S)
    assert (await refused(caller, call))[:2] == (StatusCode.NOT_FOUND, "AGGREGATE_NOT_FOUND")
    problem = await refused(caller, caller.read(aggregate_type="Tally", aggregate_id="b"))
    assert problem[:2] == (StatusCode.NOT_FOUND, "AGGREGATE_NOT_FOUND")
    describe = DescribeAggregateTypesRequest(aggregate_type="No")
    described = caller.aggregates.DescribeAggregateTypes(describe, timeout=TIMEOUT_S)
    assert (await refused(caller, described)).reason == "UNKNOWN_AGGREGATE_TYPE"


async def test_a_token_that_is_not_of_this_log_is_refused(caller: Caller) -> None:
    done = await caller.execute("a", "add", {"amount": 1})
    async with serving() as other:
        foreign = (await other.execute("a", "add", {"amount": 1})).token
    good = done.token
    wrong = [foreign, good[:-1], good + "0", good[1:], good.lower(), f"{good[:28]}{'-1':>16}", "é"]
    wrong += [good[:28] + "0" * 15 + "g", "A" * 44, good[:27] + "=" + good[28:], " " + good[1:]]
    for token in wrong:
        request = GetAggregateRequest(**A, min_token=token)
        call = caller.aggregates.GetAggregate(request, timeout=TIMEOUT_S)
        problem = await refused(caller, call)
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"), token
        assert problem.field == "min_token"


async def test_a_token_past_the_head_is_out_of_range(caller: Caller) -> None:
    good = (await caller.execute("a", "add", {"amount": 1})).token
    for position in (EVENTS + 2, 2**63, 2**64 - 1):
        request = SubscribeRequest(after_token=f"{good[:28]}{position:016x}")
        call = caller.events.Subscribe(request, timeout=TIMEOUT_S)
        problem = await refused(caller, all_of(call))
        assert problem[:2] == (StatusCode.OUT_OF_RANGE, "OUT_OF_RANGE")
        assert problem.metadata["last"] == str(EVENTS + 1)
