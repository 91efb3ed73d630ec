"""Bytes written by hand mean what the generated classes mean, field by field."""

from datetime import UTC, datetime

import msgspec
from google.rpc import status_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from gesta.engine.messages import Accepted
from gesta.server.wire import (
    encode_event,
    encode_events,
    encode_response,
    encode_result,
    message_field,
)
from gesta.store.port import EventColumns, EventRecord
from gesta.v1.command_service_pb2 import (
    BatchExecuteResponse,
    ExecuteResponse,
    ExecuteResult,
    ExecuteStreamResponse,
)
from gesta.v1.event_pb2 import RecordedEvent
from gesta.v1.event_service_pb2 import EventBatch, ReadEventsResponse

POSITIVE = st.integers(1, 2**63 - 1) | st.integers(1, 20_000)
COUNT = st.integers(0, 2**63 - 1) | st.integers(0, 20_000)
TEXT = st.text(max_size=200)
MAYBE_TEXT = st.none() | TEXT
UUID_BYTES = st.binary(min_size=16, max_size=16)
YEAR_1_US = -62_135_596_800_000_000
YEAR_9999_US = 253_402_300_799_999_999
TIME_US = st.integers(YEAR_1_US, YEAR_9999_US) | st.sampled_from(
    [0, 1, -1, 999_999, -1_000_000, YEAR_1_US, YEAR_9999_US]
)
METADATA = st.dictionaries(TEXT, TEXT, min_size=1, max_size=5)

RECORDS = st.builds(
    EventRecord,
    position=POSITIVE,
    aggregate_type=TEXT,
    aggregate_id=TEXT | st.just("x" * 20_000),
    version=POSITIVE,
    event_id=UUID_BYTES,
    event_type=TEXT,
    schema_version=st.integers(1, 2**31 - 1),
    data=st.binary(max_size=300) | st.just(b"x" * 20_000),
    command_id=UUID_BYTES,
    more_in_command=st.booleans(),
    commit_time_us=TIME_US,
    occurred_at_us=st.none() | TIME_US,
    correlation_id=MAYBE_TEXT,
    causation_id=MAYBE_TEXT,
    principal=TEXT,
    traceparent=MAYBE_TEXT,
    metadata=st.none() | METADATA.map(msgspec.json.encode),
)
ANSWERS = st.builds(
    Accepted,
    version=COUNT,
    position=COUNT,
    event_count=st.integers(0, 2**31 - 1),
    reply=st.binary(max_size=300) | st.just(b"x" * 20_000),
    command_id=UUID_BYTES,
    replayed=st.booleans(),
    pending=st.lists(TEXT.filter(bool), max_size=3).map(tuple),
)


def _plain(record: EventRecord) -> EventRecord:
    """As most events are: small, and without what is rare."""
    return record._replace(
        aggregate_id=record.aggregate_id[:9],
        version=record.version % 9_000 + 1,
        data=record.data[:9],
        occurred_at_us=None,
        correlation_id=None,
        causation_id=None,
        traceparent=None,
        metadata=None,
    )


def _by_the_class(record: EventRecord) -> RecordedEvent:
    """The same event, by the generated class alone."""
    event = RecordedEvent(
        position=record.position,
        aggregate_type=record.aggregate_type,
        aggregate_id=record.aggregate_id,
        version=record.version,
        event_id=record.event_id,
        event_type=record.event_type,
        schema_version=record.schema_version,
        data=record.data,
        command_id=record.command_id,
        correlation_id=record.correlation_id,
        causation_id=record.causation_id,
        principal=record.principal,
        traceparent=record.traceparent,
        metadata=msgspec.json.decode(record.metadata) if record.metadata else None,
        more_in_command=record.more_in_command,
    )
    event.commit_time.FromMicroseconds(record.commit_time_us)
    if record.occurred_at_us is not None:
        event.occurred_at.FromMicroseconds(record.occurred_at_us)
    return event


def _response(done: Accepted, token: str) -> ExecuteResponse:
    return ExecuteResponse(
        version=done.version,
        position=done.position,
        token=token,
        event_count=done.event_count,
        reply=done.reply,
        replayed=done.replayed,
        command_id=done.command_id,
        pending=done.pending,
    )


@given(RECORDS)
@settings(max_examples=300, derandomize=True, database=None, deadline=None)
def test_an_event_written_by_hand_is_the_event_of_the_class(record: EventRecord) -> None:
    (event,) = ReadEventsResponse.FromString(encode_event(record)).events
    expected = _by_the_class(record)
    assert event == expected
    assert {field.name for field, _ in event.ListFields()} == {
        field.name for field, _ in expected.ListFields()
    }
    # Nothing unknown was written beside: what the class keeps is all there is.
    assert len(event.SerializeToString()) == len(expected.SerializeToString())


@given(RECORDS, st.integers(0, 20_000))
@settings(max_examples=50, derandomize=True, database=None, deadline=None)
def test_a_part_of_a_stored_event_says_which_it_is(record: EventRecord, part: int) -> None:
    (event,) = ReadEventsResponse.FromString(encode_event(record, part)).events
    expected = _by_the_class(record)
    expected.part = part
    assert event == expected


@given(
    st.lists(RECORDS | RECORDS.map(_plain), min_size=1, max_size=8),
    st.integers(1, 2**62) | st.integers(1, 20_000) | st.integers(2**28 - 9, 2**28),
)
@settings(max_examples=300, derandomize=True, database=None, deadline=None)
def test_events_written_together_are_those_written_one_by_one(
    records: list[EventRecord], first: int
) -> None:
    following = [each._replace(position=first + n) for n, each in enumerate(records)]
    encoded = encode_events(EventColumns.of(following))
    assert len(encoded) == len(following)
    for event, record in zip(encoded, following, strict=True):
        assert ReadEventsResponse.FromString(event).events == [_by_the_class(record)]
        assert len(event) == len(encode_event(record))


@given(st.lists(RECORDS, max_size=4), TEXT)
@settings(max_examples=50, derandomize=True, database=None, deadline=None)
def test_events_side_by_side_are_a_frame(records: list[EventRecord], token: str) -> None:
    encoded = b"".join(encode_event(record) for record in records)
    batch = EventBatch.FromString(encoded + EventBatch(checkpoint=token).SerializeToString())
    assert list(batch.events) == [_by_the_class(record) for record in records]
    assert batch.checkpoint == token


def test_every_field_of_the_contract_is_written() -> None:
    """A field that is added to RecordedEvent, ExecuteResponse or ExecuteResult fails this test."""
    full = EventRecord(
        *(1, "T", "a", 1, b"e" * 16, "E", 1, b"{}", b"c" * 16, True, 1, 1),
        *("correlation", "causation", "principal", "traceparent", b'{"k":""}'),
    )
    (event,) = ReadEventsResponse.FromString(encode_event(full, 1)).events
    assert len(event.ListFields()) == len(RecordedEvent.DESCRIPTOR.fields)
    (together,) = encode_events(EventColumns.of([full]))
    assert ReadEventsResponse.FromString(together) == ReadEventsResponse.FromString(
        encode_event(full)
    )
    done = encode_response(Accepted(1, 1, 1, b"1", b"c" * 16, True, ("p",)), "token")
    response = ExecuteResponse.FromString(done)
    assert len(response.ListFields()) == len(ExecuteResponse.DESCRIPTOR.fields)
    assert len(ExecuteResult.DESCRIPTOR.fields) == 3


def test_a_time_before_1970_counts_its_nanoseconds_upwards() -> None:
    record = _record(commit_time_us=-1, occurred_at_us=-1_500_000)
    (event,) = ReadEventsResponse.FromString(encode_event(record)).events
    assert (event.commit_time.seconds, event.commit_time.nanos) == (-1, 999_999_000)
    assert event.occurred_at.ToDatetime(UTC) == datetime(1969, 12, 31, 23, 59, 58, 500_000, UTC)


def test_the_beginning_of_1970_is_a_time_and_not_the_lack_of_one() -> None:
    record = _record(commit_time_us=0, occurred_at_us=0)
    (event,) = ReadEventsResponse.FromString(encode_event(record)).events
    assert event.HasField("commit_time")
    assert event.HasField("occurred_at")
    (bare,) = ReadEventsResponse.FromString(encode_event(_record(occurred_at_us=None))).events
    assert not bare.HasField("occurred_at")


@given(ANSWERS, TEXT)
@settings(max_examples=200, derandomize=True, database=None, deadline=None)
def test_an_answer_written_by_hand_is_that_of_the_class(done: Accepted, token: str) -> None:
    encoded = encode_response(done, token)
    assert ExecuteResponse.FromString(encoded) == _response(done, token)


@given(ANSWERS, TEXT, st.integers(1, 2**63 - 1) | st.integers(1, 20_000), st.text(max_size=50))
@settings(max_examples=100, derandomize=True, database=None, deadline=None)
def test_results_side_by_side_are_a_frame(
    done: Accepted, token: str, number: int, message: str
) -> None:
    response = message_field(2, encode_response(done, token))
    status = status_pb2.Status(code=3, message=message)
    error = message_field(3, status.SerializeToString())
    expected = [
        ExecuteResult(number=number, response=_response(done, token)),
        ExecuteResult(number=number, error=status),
    ]
    batch = encode_result(number, 1, response) + encode_result(number, 1, error)
    assert list(BatchExecuteResponse.FromString(batch).results) == expected
    frame = encode_result(number, 2, response) + encode_result(number, 2, error)
    assert list(ExecuteStreamResponse.FromString(frame).results) == expected


def test_an_empty_error_is_still_an_error() -> None:
    frame = encode_result(1, 1, message_field(3, status_pb2.Status().SerializeToString()))
    (result,) = BatchExecuteResponse.FromString(frame).results
    assert result.WhichOneof("result") == "error"


def _record(*, commit_time_us: int = 1, occurred_at_us: int | None) -> EventRecord:
    return EventRecord(
        *(1, "T", "a", 1, b"e" * 16, "E", 1, b"{}", b"c" * 16, False),
        *(commit_time_us, occurred_at_us, None, None, "anonymous", None, None),
    )
