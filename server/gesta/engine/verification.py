"""A whole log through code that is to be deployed: what would fail, and where.

It goes stream by stream, not along the log: however many aggregates there are, one state is in
memory, and a page of events. Reading the events of a stream where they lie costs more than reading
them in a row, but a scan would have to keep the states of all streams that go on, which is all.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from gesta.domain.catalog import AggregateType, Catalog
from gesta.domain.errors import DomainError
from gesta.engine.findings import (
    ERROR_CHARS_MAX,
    AggregateTypeReport,
    EventTypeReport,
    Failed,
    Reading,
    Report,
)
from gesta.store.port import CorruptLog, EventRecord, Stream, checksum
from gesta.store.snapshots import Snapshot

_PROGRESS_EVENTS = 1_000


class StoredLog(Protocol):
    """The log to read; it must not grow meanwhile. What these raise ends the verification."""

    @property
    def head(self) -> int: ...

    def streams(self) -> Iterator[Stream]: ...

    def events(self, stream: Stream) -> Iterator[EventRecord]:
        """From version 1 to the last."""


KeptOf = Callable[[Stream], Mapping[int, Snapshot]]
"""The snapshots of a stream, by version."""


class SnapshotDiffers(Exception):
    """A snapshot is not what today's code folds, though it claims to be of that code."""

    def __init__(self, version: int) -> None:
        super().__init__(
            f"the snapshot at version {version} is not what this code folds, so something changed "
            "that its fingerprint does not cover: raise snapshot_version= of @aggregate, or drop "
            "the snapshots with gesta snapshot clear"
        )


class Verification:
    """One run over one log. `on_progress` is told of the events read so far, now and then."""

    def __init__(
        self,
        catalog: Catalog,
        log: StoredLog,
        *,
        kept_of: KeptOf = lambda stream: {},
        on_progress: Callable[[int], object] = lambda events: None,
    ) -> None:
        self._catalog = catalog
        self._log = log
        self._kept_of = kept_of
        self._on_progress = on_progress
        self._read = 0
        self._by_type: dict[str, AggregateTypeReport] = {}
        self._by_event: dict[tuple[str, str, int], EventTypeReport] = {}

    def run(self) -> Report:
        """Read everything. Raises CorruptLog, also for events that are in no stream."""
        report = Report(self._log.head)
        for stream in self._log.streams():
            of_type = self._by_type.get(stream.aggregate_type)
            if of_type is None:
                hosted = stream.aggregate_type in self._catalog.types
                of_type = AggregateTypeReport(stream.aggregate_type, hosted)
                report.aggregate_types.append(of_type)
                self._by_type[stream.aggregate_type] = of_type
            of_type.streams += 1
            if not self._is_well(stream, of_type):
                of_type.streams_failing += 1
        if self._read != self._log.head:
            raise CorruptLog(f"of {self._log.head} events, {self._read} are in streams")
        for of_type in report.aggregate_types:
            of_type.event_types.sort(key=lambda each: (each.event_type, each.schema_version))
        self._on_progress(self._read)
        return report

    def _is_well(self, stream: Stream, of_type: AggregateTypeReport) -> bool:
        hosted = self._catalog.types.get(stream.aggregate_type)
        fold = None if hosted is None else _Fold(hosted)
        kept = {} if hosted is None else self._kept_of(stream)
        record: EventRecord | None = None
        for record in self._events(stream):
            of_event = self._report_of(record, hosted, of_type)
            of_type.events += 1
            of_event.events += 1
            if fold is None:
                continue
            error = fold.add(record)
            if error is not None:
                failed = _failed(record, error)
                of_type.events_failing += 1
                of_event.events_failing += 1
                of_event.first_failure = of_event.first_failure or failed
            elif (snapshot := kept.get(record.version)) and fold.begins_at(snapshot, record):
                of_type.snapshots += 1
                error = fold.compare(snapshot)
            if error is not None:
                of_type.first_failure = of_type.first_failure or _failed(record, error)
        if fold is None or record is None:
            return True
        error = fold.end()
        if error is not None:
            of_type.first_failure = of_type.first_failure or _failed(record, error)
        return not fold.is_broken

    def _events(self, stream: Stream) -> Iterator[EventRecord]:
        for record in self._log.events(stream):
            self._read += 1
            if self._read % _PROGRESS_EVENTS == 0:
                self._on_progress(self._read)
            yield record

    def _report_of(
        self, record: EventRecord, hosted: AggregateType | None, of_type: AggregateTypeReport
    ) -> EventTypeReport:
        key = (record.aggregate_type, record.event_type, record.schema_version)
        found = self._by_event.get(key)
        if found is None:
            found = EventTypeReport(*key[1:], _reading(hosted, *key[1:]))
            self._by_event[key] = found
            of_type.event_types.append(found)
        return found


class _Fold:
    """The state of one stream, as far as it goes. What is wrong is returned, and breaks it."""

    def __init__(self, hosted: AggregateType) -> None:
        self._hosted = hosted
        self._state = hosted.initial
        self.is_broken = False

    def add(self, record: EventRecord) -> Exception | None:
        """Read the event; and fold it, unless the fold is broken."""
        hosted = self._hosted
        stored = (record.event_type, record.schema_version, record.data)
        try:
            events = hosted.decode_events(*stored)
            if stored[:2] in hosted.evolution.steps:
                hosted.upcast(*stored)  # as readers get it
            for event in () if self.is_broken else events:
                self._state = hosted.evolve(self._state, event)
        except DomainError as error:
            self.is_broken = True
            return error
        return None

    def begins_at(self, snapshot: Snapshot, record: EventRecord) -> bool:
        """Whether a server would begin its fold there, instead of passing the snapshot over."""
        return (
            not self.is_broken
            and snapshot.fingerprint == self._hosted.fingerprint
            and snapshot.event_checksum == checksum(record)
        )

    def compare(self, snapshot: Snapshot) -> Exception | None:
        """With the state as it is now. One that cannot be read is passed over by a server, too."""
        try:
            same = self._hosted.decode_state(snapshot.state) == self._state
        except DomainError:
            same = True
        if same:
            return None
        self.is_broken = True
        return SnapshotDiffers(snapshot.version)

    def end(self) -> Exception | None:
        """The last state must be what it is read back as."""
        if self.is_broken:
            return None
        try:
            self._hosted.decode_state(self._hosted.encode_state(self._state))
        except DomainError as error:
            self.is_broken = True
            return error
        return None


def _reading(hosted: AggregateType | None, event_type: str, schema_version: int) -> Reading:
    if hosted is None:
        return Reading.NOT_HOSTED
    current = hosted.events.get(event_type)
    if current is not None and current.schema_version == schema_version:
        return Reading.CURRENT
    if (event_type, schema_version) in hosted.evolution.steps:
        return Reading.UPCAST
    return Reading.UNKNOWN


def _failed(record: EventRecord, error: Exception) -> Failed:
    text = f"{type(error).__name__}: {error}"
    return Failed(
        record.aggregate_id,
        record.version,
        record.position,
        record.event_type,
        record.schema_version,
        text[:ERROR_CHARS_MAX],
    )
