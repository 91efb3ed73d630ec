"""What a run through the code of tomorrow finds in the log of yesterday."""

from collections.abc import Iterator
from typing import Any

import pytest

from gesta.domain import aggregate, event, upcast
from gesta.domain.catalog import Catalog
from gesta.engine.findings import ERROR_CHARS_MAX, Reading, Report
from gesta.engine.verification import Verification
from gesta.store.port import CorruptLog, EventRecord, Stream, checksum
from gesta.store.snapshots import Snapshot


@upcast("Paid", from_version=1)
def to_number(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"amount": int(old["amt"])}]


@event("Paid", version=2)
class Paid:
    amount: int


@event("Lost")
class Lost:
    pass


@upcast("Worn", from_version=1)
def as_it_was(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [old]


@event("Worn", version=2)
class Worn:
    """Never the same when it is read again, so that no reader can be given it in this version."""

    times: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "times", self.times + 1)


@aggregate("Purse", upcasters=[to_number, as_it_was])
class Purse:
    total: int = 0
    note: float = 0.0

    def evolve(self, event: Paid | Lost | Worn) -> "Purse":
        match event:
            case Paid(amount):
                return Purse(self.total + amount)
            case Worn():
                return self
            case Lost():
                if self.total == 0:
                    raise RuntimeError("there was nothing to lose" + "!" * 1_000)
                return Purse(0, float("nan") if self.total == 13 else 0.0)


class Kept:
    """A log of what is told of: aggregate, event type, schema version, payload."""

    def __init__(self, *events: tuple[str, str, int, str]) -> None:
        self.head = len(events)
        self._streams: dict[str, list[EventRecord]] = {}
        for position, (aggregate_id, event_type, schema_version, data) in enumerate(events, 1):
            stream = self._streams.setdefault(aggregate_id, [])
            aggregate_type = "Diary" if aggregate_id.startswith("diary") else "Purse"
            stream.append(
                EventRecord(
                    position,
                    aggregate_type,
                    aggregate_id,
                    len(stream) + 1,
                    bytes(16),
                    event_type,
                    schema_version,
                    data.encode(),
                    *(bytes(16), False, 0, None, None, None, "anonymous", None, None),
                )
            )

    def streams(self) -> Iterator[Stream]:
        for records in self._streams.values():
            yield Stream(records[0].aggregate_type, records[0].aggregate_id)

    def events(self, stream: Stream) -> Iterator[EventRecord]:
        yield from self._streams[stream.aggregate_id]


OLD, NEW, LOST = ("Paid", 1, '{"amt":"5"}'), ("Paid", 2, '{"amount":7}'), ("Lost", 1, "{}")


def verify(*events: tuple[str, str, int, str], **options: Any) -> Report:
    return Verification(Catalog.of(Purse), Kept(*events), **options).run()


def counts(report: Report) -> dict[tuple[str, int], tuple[Reading, int, int]]:
    return {
        (each.event_type, each.schema_version): (each.reading, each.events, each.events_failing)
        for of_type in report.aggregate_types
        for each in of_type.event_types
    }


def test_what_can_be_read_and_folded_is_well_and_counted() -> None:
    report = verify(("a", *OLD), ("b", *NEW), ("a", *NEW), ("a", *LOST))
    assert (report.is_well, report.head) == (True, 4)
    (purse,) = report.aggregate_types
    assert (purse.aggregate_type, purse.hosted, purse.first_failure) == ("Purse", True, None)
    assert (purse.streams, purse.events) == (2, 4)
    assert counts(report) == {
        ("Lost", 1): (Reading.CURRENT, 1, 0),
        ("Paid", 1): (Reading.UPCAST, 1, 0),
        ("Paid", 2): (Reading.CURRENT, 2, 0),
    }


def test_an_empty_log_is_well() -> None:
    assert verify() == Report(0)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        (("Paid", 1, '{"amt":"five"}'), "UpcastFailed: "),
        (("Paid", 1, '{"amount":5}'), "UpcastFailed: "),
        (("Paid", 2, '{"amount":"5"}'), "UndecodableEvent: "),
        (("Paid", 3, '{"amount":5}'), "UnknownEvent: "),
        (("Found", 1, "{}"), "UnknownEvent: "),
        (("Lost", 1, "{}"), "HandlerFailed: "),
        (("Worn", 1, '{"times":1}'), "UndecodableEvent: "),
    ],
)
def test_an_event_that_cannot_be_read_or_folded_fails_its_stream_alone(
    wrong: tuple[str, int, str], error: str
) -> None:
    report = verify(("a", *OLD), ("b", *wrong), ("b", *NEW), ("c", *NEW))
    assert not report.is_well
    (purse,) = report.aggregate_types
    assert (purse.streams, purse.streams_failing) == (3, 1)
    assert (purse.events, purse.events_failing) == (4, 1)
    first = purse.first_failure
    assert first is not None
    assert (first.aggregate_id, first.version, first.position) == ("b", 1, 2)
    assert (first.event_type, first.schema_version) == wrong[:2]
    assert first.error.startswith(error)
    assert len(first.error) <= ERROR_CHARS_MAX
    (of_event,) = [each for each in purse.event_types if each.events_failing]
    assert (of_event.event_type, of_event.schema_version) == wrong[:2]
    assert of_event.first_failure == first


def test_behind_an_event_that_fails_the_others_are_still_read_but_not_folded() -> None:
    # Two that cannot be read, and one that could not be folded, had it come first.
    report = verify(("a", "Found", 1, "{}"), ("a", *LOST), ("a", "Paid", 1, "{}"), ("a", *NEW))
    assert counts(report) == {
        ("Found", 1): (Reading.UNKNOWN, 1, 1),
        ("Lost", 1): (Reading.CURRENT, 1, 0),
        ("Paid", 1): (Reading.UPCAST, 1, 1),
        ("Paid", 2): (Reading.CURRENT, 1, 0),
    }
    (purse,) = report.aggregate_types
    assert (purse.streams_failing, purse.events_failing) == (1, 2)


def test_only_the_first_failure_of_each_kind_is_told() -> None:
    bad = ("Paid", 1, "{}")
    report = verify(("a", *OLD), ("a", *bad), ("b", *bad), ("c", *LOST))
    (purse,) = report.aggregate_types
    assert purse.first_failure is not None
    assert purse.first_failure.position == 2
    firsts = {each.event_type: each.first_failure for each in purse.event_types}
    assert {name: first and first.position for name, first in firsts.items()} == {
        "Paid": 2,
        "Lost": 4,
    }


def test_a_state_that_its_encoding_would_change_fails_the_stream_and_no_event() -> None:
    report = verify(("a", "Paid", 2, '{"amount":13}'), ("a", *LOST))
    (purse,) = report.aggregate_types
    assert (report.is_well, purse.streams_failing, purse.events_failing) == (False, 1, 0)
    assert purse.first_failure is not None
    assert (purse.first_failure.version, purse.first_failure.position) == (2, 2)
    assert "Purse's state" in purse.first_failure.error


def test_aggregate_types_that_are_not_hosted_are_counted_and_well() -> None:
    report = verify(("diary", "Noted", 4, "no JSON"), ("a", *NEW))
    assert report.is_well
    diary = report.aggregate_types[0]
    assert (diary.aggregate_type, diary.hosted, diary.events) == ("Diary", False, 1)
    assert counts(report)["Noted", 4] == (Reading.NOT_HOSTED, 1, 0)


LONG = (("a", *OLD), ("b", *NEW), ("a", *NEW), ("a", *NEW))


def with_snapshot(total: int, **other: Any) -> Report:
    """Of LONG, where "a" has a snapshot at version 2, at which its total is 12."""
    record = Kept(*LONG)._streams["a"][1]
    taken = Snapshot(
        *("Purse", "a", 2, record.position, checksum(record)),
        Catalog.of(Purse).types["Purse"].fingerprint,
        b'{"total":%d,"note":0.0}' % total,
    )._replace(**other)
    return verify(*LONG, kept_of=lambda stream: {2: taken} if stream.aggregate_id == "a" else {})


def test_a_snapshot_is_held_against_the_fold_up_to_it() -> None:
    report = with_snapshot(12)
    assert (report.is_well, report.aggregate_types[0].snapshots) == (True, 1)
    report = with_snapshot(13)
    (purse,) = report.aggregate_types
    assert (purse.snapshots, purse.streams_failing, purse.events_failing) == (1, 1, 0)
    assert purse.first_failure is not None
    assert purse.first_failure.error.startswith("SnapshotDiffers: the snapshot at version 2 is not")
    assert purse.first_failure.version == 2


@pytest.mark.parametrize("other", [{"fingerprint": bytes(16)}, {"event_checksum": 7}])
def test_a_snapshot_that_no_server_would_use_fails_nothing(other: dict[str, Any]) -> None:
    report = with_snapshot(13, **other)
    assert (report.is_well, report.aggregate_types[0].snapshots) == (True, 0)


def test_a_snapshot_that_cannot_be_read_fails_nothing() -> None:
    assert with_snapshot(13, state=b"{").is_well


def test_events_that_are_in_no_stream_are_missed() -> None:
    log = Kept(("a", *NEW), ("b", *NEW))
    log.head = 3
    with pytest.raises(CorruptLog, match="of 3 events, 2 are in streams"):
        Verification(Catalog.of(Purse), log).run()


def test_progress_is_told_on_the_way_and_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gesta.engine.verification._PROGRESS_EVENTS", 2)
    told: list[int] = []
    verify(*[("a", *NEW)] * 5, on_progress=told.append)
    assert told == [2, 4, 5]
