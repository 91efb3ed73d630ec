from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from gesta.client.event import Event
from gesta.client.filters import Match, to_filter
from gesta.client.times import to_datetime, to_duration, to_timestamp
from gesta.domain import aggregate, event
from gesta.domain.errors import UndecodableEvent, UnknownEvent
from gesta.v1.event_pb2 import RecordedEvent

COMMAND = UUID("01a20ad8-3cbc-7692-8af3-f47c2415302f")


@event("Poured")
class Poured:
    ml: int


@event("Drunk", version=2)
class Drunk:
    ml: int


@aggregate("Cup")
class Cup:
    ml: int = 0

    def evolve(self, event: Poured | Drunk) -> "Cup":
        match event:
            case Poured(ml):
                return Cup(self.ml + ml)
            case Drunk(ml):
                return Cup(self.ml - ml)


def recorded(**fields: object) -> Event:
    given = {
        "position": 7,
        "aggregate_type": "Cup",
        "aggregate_id": "c-1",
        "version": 2,
        "event_id": UUID(int=1).bytes,
        "event_type": "Poured",
        "schema_version": 1,
        "data": b'{"ml":5}',
        "commit_time": Timestamp(seconds=1_700_000_000, nanos=123_456_000),
        "command_id": COMMAND.bytes,
        "principal": "anonymous",
    }
    return Event(RecordedEvent(**{**given, **fields}))  # type: ignore[arg-type]


def test_every_field_is_seen_as_python_has_it() -> None:
    seen = recorded(
        occurred_at=Timestamp(seconds=-1, nanos=500_000_000),
        correlation_id="order-1",
        causation_id="e-3",
        traceparent="00-t",
        metadata={"user_id": "u"},
        more_in_command=True,
    )
    assert (
        seen.position,
        seen.aggregate_type,
        seen.aggregate_id,
        seen.version,
    ) == (7, "Cup", "c-1", 2)
    assert (UUID(int=1), "Poured", 1) == (seen.event_id, seen.event_type, seen.schema_version)
    assert datetime(2023, 11, 14, 22, 13, 20, 123_456, UTC) == seen.commit_time
    assert datetime(1969, 12, 31, 23, 59, 59, 500_000, UTC) == seen.occurred_at
    assert (seen.command_id, seen.correlation_id, seen.causation_id) == (COMMAND, "order-1", "e-3")
    assert (
        seen.principal,
        seen.traceparent,
        dict(seen.metadata),
    ) == ("anonymous", "00-t", {"user_id": "u"})
    assert seen.more_in_command


def test_what_the_writer_did_not_say_is_none_and_its_command_stands_for_the_correlation() -> None:
    seen = recorded()
    assert (seen.occurred_at, seen.causation_id, seen.traceparent) == (None, None, None)
    assert str(COMMAND) == seen.correlation_id
    assert not seen.more_in_command


def test_the_payload_is_decoded_once() -> None:
    seen = recorded()
    assert seen.payload == {"ml": 5}
    assert seen.payload is seen.payload


def test_an_event_is_decoded_by_its_own_class_or_its_aggregates() -> None:
    seen = recorded()
    assert Poured(5) == seen.decode(Poured) == seen.decode(Drunk, Poured) == seen.decode(Cup)


def test_an_event_of_no_class_given_or_of_another_schema_version_is_unknown() -> None:
    with pytest.raises(UnknownEvent):
        recorded().decode(Drunk)
    with pytest.raises(UnknownEvent):
        recorded(event_type="Drunk", schema_version=1).decode(Cup)


def test_a_payload_that_does_not_fit_its_class_is_not_decoded() -> None:
    with pytest.raises(UndecodableEvent):
        recorded(data=b'{"ml":"5"}').decode(Cup)


def test_only_classes_of_events_and_aggregates_decode() -> None:
    with pytest.raises(TypeError, match="not an @event"):
        recorded().decode(int)


def test_a_view_has_no_dict() -> None:
    assert not hasattr(recorded(), "__dict__")


@pytest.mark.parametrize(
    "time",
    [
        datetime(2026, 11, 23, 23, 59, 59, 999_999, UTC),
        datetime(1969, 12, 31, 23, 59, 59, 1, UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(2026, 1, 1, 2, 0, tzinfo=timezone(timedelta(hours=2))),
    ],
)
def test_a_time_comes_back_as_it_went(time: datetime) -> None:
    assert time == to_datetime(to_timestamp(time))


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        to_timestamp(datetime(2026, 1, 1))  # noqa: DTZ001


def test_a_duration_keeps_its_fraction() -> None:
    duration = to_duration(1.25)
    assert (duration.seconds, duration.nanos) == (1, 250_000_000)


def test_a_filter_takes_names_and_classes() -> None:
    sent = to_filter([Match(event_types=[Poured, "Other"]), Match(aggregate_types=[Cup])])
    assert sent is not None
    assert list(sent.items[0].event_types) == ["Poured", "Other"]
    assert list(sent.items[1].aggregate_types) == ["Cup"]


def test_a_match_that_would_match_nothing_by_mistake_is_refused() -> None:
    with pytest.raises(TypeError, match="sequences"):
        Match(event_types="Poured")
    with pytest.raises(ValueError, match="asks for nothing"):
        Match()
