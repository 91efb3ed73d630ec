"""One batch, one transaction: drafted as lists of parameters, written in a few large statements.

Drafting needs the interpreter lock all the time and no database, so it can be done elsewhere than
writing.
"""

import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple
from zlib import crc32

from msgspec.msgpack import Encoder

from gesta.store.connection import JobConnection, is_code
from gesta.store.inserting import Insert
from gesta.store.names import Draft, Kind, Name, Names
from gesta.store.port import Batch, EventRecord, StorageFailed, StorageFull, Stream, slice_of
from gesta.store.rows import checksum

_encode = Encoder().encode


class Base(NamedTuple):
    """What a batch builds on: the confirmed state of the log."""

    head: int
    streams: int
    names: Names


class Drawn(NamedTuple):
    """The numbers a batch has drawn, to be adopted now that it is committed."""

    streams: list[tuple[Stream, int]]
    """Every handle without a number, and the number; handles on one stream share it."""
    stream_count: int
    """How many streams there are now."""
    names: list[Name]


_SHARED = range(10, 17)
"""The columns of an event, from 1, in which those of one commit are mostly alike: commit time, time
of occurrence, correlation, causation, principal, trace context and metadata. Given once they cost
nothing; given with every event they take a quarter of SQLite's time for it, 1.4 µs of 5.3."""

_OWN = EventRecord._fields.index("commit_time_us")
"""Where they begin in an EventRecord."""

_INSERT_EVENTS = Insert("events", 17, texts=(7, 16))
_INSERT_ALIKE = Insert("events", 17, texts=(7, 16), shared=_SHARED)
_INSERT_COMMANDS = Insert("commands", 8, texts=(7,))
_INSERT_STREAMS = Insert("streams", 5)
_INSERT_NAMES = Insert("names", 4)


class Rows(NamedTuple):
    """A batch as it is written: the parameters of each table, and what it draws."""

    names: list[Any]
    streams: list[Any]
    events: list[Any]
    shared: tuple[Any, ...] | None
    """What all events have in common, in the columns _SHARED; None: each has its own."""
    commands: list[Any]
    drawn: Drawn
    head: int
    """The position before it."""


def draft(batch: Batch, base: Base) -> Rows:
    """Changes nothing. Raises StorageFailed for a batch that does not go on where the base ends."""
    drawing = _Drawing(base)
    events, shared = drawing.event_rows(batch)
    commands = list(_command_rows(batch))
    streams, names = drawing.stream_rows(), drawing.name_rows()
    return Rows(names, streams, events, shared, commands, drawing.drawn(), base.head)


def write(connection: JobConnection, rows: Rows) -> None:
    """Commit the rows. StorageFull if they were rolled back for want of room, and nothing else."""
    try:
        connection.execute("BEGIN IMMEDIATE")
        _INSERT_NAMES.run(connection, rows.names)
        _INSERT_STREAMS.run(connection, rows.streams)
        if rows.shared is None:
            _INSERT_EVENTS.run(connection, rows.events)
        else:
            _INSERT_ALIKE.run(connection, rows.events, rows.shared)
        _INSERT_COMMANDS.run(connection, rows.commands)
        connection.execute("COMMIT")
    except BaseException as error:
        roll_back(connection)
        if is_code(error, sqlite3.SQLITE_FULL) and _head(connection) == rows.head:
            raise StorageFull(str(error)) from error
        raise


def roll_back(connection: JobConnection) -> None:
    """End the transaction, unless SQLite has already done so."""
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class _Drawing:
    """Numbers for the streams and names that a batch brings."""

    def __init__(self, base: Base) -> None:
        self._base = base
        self._names = Draft(base.names)
        self._numbers: dict[tuple[str, str], int] = {}
        self._handles: list[Stream] = []

    def event_rows(self, batch: Batch) -> tuple[list[Any], tuple[Any, ...] | None]:
        """The values of the events, and what they share."""
        rows: list[Any] = []
        alike = _are_alike(batch.events)
        event_types = self._base.names.numbers[Kind.EVENT_TYPE]
        name = self._names.number_of
        position = self._base.head
        for record, stream in zip(batch.events, batch.streams, strict=True):
            position += 1
            (
                at,
                aggregate_type,
                aggregate_id,
                version,
                event_id,
                event_type,
                schema_version,
                data,
                command_id,
                more_in_command,
                commit_time_us,
                occurred_at_us,
                correlation_id,
                causation_id,
                principal,
                traceparent,
                metadata,
            ) = record
            if at != position:
                raise StorageFailed(f"position {at} where {position} is next")
            if stream.aggregate_id != aggregate_id or stream.aggregate_type != aggregate_type:
                raise StorageFailed(f"event {position} is not of its stream")
            rows += (
                position,
                stream.number or self._new_number(stream),
                version,
                event_id,
                event_types.get(event_type) or name(Kind.EVENT_TYPE, event_type),
                schema_version,
                data,
                command_id,
                more_in_command,
            )
            if not alike:
                rows += (
                    commit_time_us,
                    occurred_at_us,
                    correlation_id,
                    causation_id,
                    name(Kind.PRINCIPAL, principal),
                    traceparent,
                    metadata,
                )
            rows.append(crc32(_encode(record)))
        return rows, self._shared(batch.events[0]) if alike else None

    def stream_rows(self) -> list[Any]:
        rows: list[Any] = []
        for (aggregate_type, aggregate_id), number in self._numbers.items():
            type_id = self._names.number_of(Kind.AGGREGATE_TYPE, aggregate_type)
            slice_number = slice_of(aggregate_type, aggregate_id)
            covered = (number, aggregate_type, aggregate_id, slice_number)
            rows += (number, type_id, aggregate_id, slice_number, checksum(covered))
        return rows

    def name_rows(self) -> list[Any]:
        return [value for name in self._names.new for value in (*name, checksum(name))]

    def drawn(self) -> Drawn:
        return Drawn(
            [
                (each, self._numbers[each.aggregate_type, each.aggregate_id])
                for each in self._handles
            ],
            self._base.streams + len(self._numbers),
            self._names.new,
        )

    def _shared(self, record: EventRecord) -> tuple[Any, ...]:
        """What stands in the columns _SHARED."""
        return (
            record.commit_time_us,
            record.occurred_at_us,
            record.correlation_id,
            record.causation_id,
            self._names.number_of(Kind.PRINCIPAL, record.principal),
            record.traceparent,
            record.metadata,
        )

    def _new_number(self, stream: Stream) -> int:
        key = (stream.aggregate_type, stream.aggregate_id)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = self._base.streams + len(self._numbers) + 1
        self._handles.append(stream)
        return number


def _are_alike(events: list[EventRecord]) -> bool:
    """Whether they differ in none of the columns _SHARED. Nothing is alike where there is none."""
    shared = events[0][_OWN:] if events else ()
    return bool(events) and all(each[_OWN:] == shared for each in events)


def _command_rows(batch: Batch) -> Iterator[Any]:
    for record in batch.commands:
        yield from record
        yield crc32(_encode(record))


def _head(connection: JobConnection) -> int:
    (head,) = connection.execute("SELECT ifnull(max(position), 0) FROM events").fetchone()
    return int(head)
