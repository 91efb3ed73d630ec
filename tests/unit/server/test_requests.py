"""From messages to records: what is taken over, what is filled in, where each limit lies."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.engine.errors import InvalidRequest
from gesta.engine.messages import ANONYMOUS, Command
from gesta.server.rpc.fields import check_id, check_object, check_type
from gesta.server.rpc.filters import filter_of
from gesta.server.rpc.requests import Requests
from gesta.server.wire import encode_event
from gesta.store.memory import MemoryStore
from gesta.store.port import EventRecord
from gesta.v1.command_service_pb2 import ExecuteRequest
from gesta.v1.event_pb2 import EventFilter, EventFilterItem
from gesta.v1.event_service_pb2 import AppendEventsRequest, NewEvent, StreamCheck

NOW_S = 1_700_000_000
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER_TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"


class StoppedClock:
    """It is always the same time."""

    def now_us(self) -> int:
        return NOW_S * 1_000_000

    def monotonic(self) -> float:
        return 100.0


class NoChance:
    """Every byte is 0xff: what must be cleared shows."""

    def bytes(self, count: int) -> bytes:
        return b"\xff" * count


@pytest.fixture
async def requests() -> AsyncIterator[Requests]:
    engine = await Engine.open(
        MemoryStore(), Catalog.of(), encode_event, clock=StoppedClock(), randomness=NoChance()
    )
    yield Requests(engine)
    await engine.close()


def _command(requests: Requests, left_s: float | None = None, **fields: Any) -> Command:
    request = ExecuteRequest(aggregate_type="T", aggregate_id="a", command="c", **fields)
    return requests.command(request, lambda answer: None, left_s, TRACE)


async def test_a_plain_command_is_anonymous_and_has_no_conditions(requests: Requests) -> None:
    request = ExecuteRequest(aggregate_type="T", aggregate_id="a", command="c")
    command = requests.command(request, lambda answer: None, None, "")
    assert command.envelope is ANONYMOUS
    assert (command.expected_version, command.must_exist, command.deadline) == (None, None, None)
    assert command.arguments == b"{}"


async def test_a_condition_that_is_false_or_zero_is_still_a_condition(requests: Requests) -> None:
    assert _command(requests, must_exist=False).must_exist is False
    assert _command(requests, expected_version=0).expected_version == 0


async def test_a_drawn_command_id_is_a_uuid_of_now(requests: Requests) -> None:
    drawn = UUID(bytes=_command(requests).command_id)
    assert (drawn.version, drawn.variant) == (7, UUID(int=0, version=4).variant)
    assert drawn.int >> 80 == NOW_S * 1_000


async def test_the_nearer_of_timeout_and_deadline_counts(requests: Requests) -> None:
    short = Duration(seconds=2, nanos=500_000_000)
    assert _command(requests, 9.0, timeout=short).deadline == 102.5
    assert _command(requests, 1.0, timeout=short).deadline == 101.0
    assert _command(requests, None, timeout=short).deadline == 102.5
    assert _command(requests, 1.0).deadline == 101.0


async def test_the_commands_own_trace_goes_before_the_calls(requests: Requests) -> None:
    assert _command(requests).envelope.traceparent == TRACE
    assert _command(requests, traceparent=OTHER_TRACE).envelope.traceparent == OTHER_TRACE


@pytest.mark.parametrize(
    "text",
    [
        TRACE,
        "00-ffffffffffffffffffffffffffffffff-ffffffffffffffff-ff",
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what.the.future.brings",
        "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-" + "x" * 72,
    ],
)
async def test_a_well_formed_trace_context_is_kept_as_it_came(
    requests: Requests, text: str
) -> None:
    assert _command(requests, traceparent=text).envelope.traceparent == text


@pytest.mark.parametrize(
    "text",
    [
        "own",
        TRACE.upper(),
        TRACE + "\n",
        " " + TRACE,
        TRACE[:-1],
        TRACE + "0",
        TRACE + "-more",
        "ff" + TRACE[2:],
        "00-" + "0" * 32 + "-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-" + "0" * 16 + "-01",
        "01" + TRACE[2:] + ".more",
        "01" + TRACE[2:] + "-" + "x" * 73,
        "00-\u0660af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
)
async def test_a_malformed_trace_context_counts_as_unset(requests: Requests, text: str) -> None:
    assert _command(requests, traceparent=text).envelope.traceparent == TRACE
    event = NewEvent(aggregate_type="T", aggregate_id="a", event_type="E", data=b"{}")
    append = requests.append(AppendEventsRequest(events=[event], traceparent=text), OTHER_TRACE)
    assert append.envelope.traceparent == OTHER_TRACE
    assert requests.append(AppendEventsRequest(events=[event]), text).envelope.traceparent is None


async def test_everything_recorded_beside_an_event_is_taken_over(requests: Requests) -> None:
    envelope = _command(
        requests,
        correlation_id="x",
        causation_id="y",
        occurred_at=Timestamp(seconds=-1, nanos=1_999),
        metadata={"user_id": "u", "": "", "é": "ü"},
    ).envelope
    assert (envelope.correlation_id, envelope.causation_id) == ("x", "y")
    assert envelope.occurred_at_us == -1_000_000 + 1
    assert envelope.metadata == '{"":"","user_id":"u","é":"ü"}'.encode()
    assert envelope.principal == "anonymous"


async def test_metadata_is_measured_as_it_is_kept(requests: Requests) -> None:
    around = len('{"k":""}')
    assert requests.metadata({"k": "v" * (16_384 - around)}, "metadata")
    with pytest.raises(InvalidRequest, match=r"takes 16385 bytes; at most 16384"):
        requests.metadata({"k": "v" * (16_385 - around)}, "metadata")
    assert requests.metadata({}, "metadata") is None


async def test_two_attempts_at_an_append_have_one_fingerprint(requests: Requests) -> None:
    event = NewEvent(aggregate_type="T", aggregate_id="a", event_type="E", data=b"{}")
    first = AppendEventsRequest(events=[event], correlation_id="x", traceparent="1")
    check = StreamCheck(aggregate_type="T", aggregate_id="a", must_exist=True)
    second = AppendEventsRequest(events=[event], checks=[check], traceparent="2")
    assert requests.append(first, "").fingerprint == requests.append(second, "").fingerprint


async def test_appends_that_differ_in_any_part_differ_in_fingerprint(requests: Requests) -> None:
    plain: dict[str, Any] = {"aggregate_type": "T", "aggregate_id": "a", "event_type": "E"}
    plain |= {"data": b"{}"}
    changes: list[dict[str, Any]] = [
        {},
        {"aggregate_type": "TT"},
        {"aggregate_id": "b"},
        {"event_type": "F"},
        {"schema_version": 2},
        {"data": b"{ }"},
    ]
    appends = [AppendEventsRequest(events=[NewEvent(**(plain | change))]) for change in changes]
    appends.append(AppendEventsRequest(events=[NewEvent(**plain)] * 2))
    prints = {requests.append(append, "").fingerprint for append in appends}
    assert len(prints) == len(appends)


async def test_the_fingerprint_of_an_append_is_the_same_in_every_release(
    requests: Requests,
) -> None:
    again: dict[str, Any] = {"aggregate_type": "T", "aggregate_id": "käse", "event_type": "E"}
    said: list[dict[str, Any]] = [
        {"data": b"{}"},
        {"data": b'{"a":1}', "schema_version": 2},
        {"data": b"{ }"},
    ]
    append = AppendEventsRequest(events=[NewEvent(**(again | each)) for each in said])
    assert requests.append(append, "").fingerprint.hex() == "9cf5b4d3d330edc860e5f021841df295"


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("aggregate_type", ""),
        ("aggregate_type", "gesta"),
        ("aggregate_id", "\n"),
        ("event_type", "x" * 101),
        ("schema_version", -1),
        ("data", b"[]"),
        ("occurred_at", Timestamp(nanos=-1)),
        ("metadata", {"k": "v" * 20_000}),
    ],
)
async def test_an_event_like_those_before_it_is_checked_where_it_differs(
    requests: Requests, field: str, wrong: object
) -> None:
    plain: dict[str, Any] = {"aggregate_type": "T", "aggregate_id": "a", "event_type": "E"}
    plain |= {"data": b"{}"}
    events = [NewEvent(**plain), NewEvent(**plain), NewEvent(**(plain | {field: wrong}))]
    with pytest.raises(InvalidRequest) as refused:
        requests.append(AppendEventsRequest(events=events), "")
    assert refused.value.field == f"events[2].{field}"


async def test_a_schema_version_left_out_is_the_first(requests: Requests) -> None:
    event = NewEvent(aggregate_type="T", aggregate_id="a", event_type="E", data=b"{}")
    (proposed,) = requests.append(AppendEventsRequest(events=[event]), "").events
    assert proposed.schema_version == 1


def test_names_and_ids_may_be_as_long_as_promised_and_no_longer() -> None:
    for text in ("a", "é" * 127 + "a", "a" * 255, "with space", "\u200b", "日本", "𝄞"):
        assert check_id(text, "id") == text
    for text in ("", "a" * 256, "é" * 128, "\x7f", "\x00", "\u0080", "a\rb"):
        with pytest.raises(InvalidRequest):
            check_id(text, "id")
    assert check_type("é" * 100, "type") == "é" * 100
    for text in ("", "T" * 101, "T\n"):
        with pytest.raises(InvalidRequest):
            check_type(text, "type")


@pytest.mark.parametrize("data", [b"{}", b' {"a": [1, null, "\\u0000"]} ', b'{"a":1e308}'])
def test_a_json_object_is_a_payload(data: bytes) -> None:
    check_object(data, "data")


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"null", b"1", b'"x"', b"[]", b"{", b"{}{}", b'{"a":NaN}', b'{"a":Infinity}'),
        *(b'{"a":01}', b"{'a':1}", b'{"a":1,}', b'{"a":"\n"}', b'{"\xff":1}', b'{"a":"\\ud800"}'),
    ],
)
def test_anything_else_is_no_payload(data: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check_object(data, "data")
    assert refused.value.field == "data"


def test_a_filter_is_or_of_items_and_and_within_one() -> None:
    wanted = filter_of(
        EventFilter(
            items=[
                EventFilterItem(aggregate_types=["T"], event_types=["E", "F"], id_prefix="a-"),
                EventFilterItem(event_types=["G"]),
            ]
        ),
        "filter",
    )
    seen = {
        ("T", "a-1", "E"): True,
        ("T", "a-1", "F"): True,
        ("U", "a-1", "E"): False,
        ("T", "b-1", "E"): False,
        ("T", "a-1", "H"): False,
        ("U", "b-1", "G"): True,
    }
    assert {key: wanted.matches(_record(*key)) for key in seen} == seen
    assert filter_of(EventFilter(), "filter").everything


def _record(aggregate_type: str, aggregate_id: str, event_type: str) -> EventRecord:
    return EventRecord(
        *(1, aggregate_type, aggregate_id, 1, bytes(16), event_type, 1, b"{}", bytes(16), False),
        *(1, None, None, None, "anonymous", None, None),
    )
