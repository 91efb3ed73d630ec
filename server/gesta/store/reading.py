"""Pages of events, streams, and places in time. Runs on a reader's thread.

No read transaction outlives one statement, because an open one keeps the write-ahead log from being
begun anew. What is read together is bounded by a head taken before: the log only grows behind it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import NamedTuple, TypeVar

from gesta.store.columns import EVENTS_MAX, Block, block_of
from gesta.store.connection import JobConnection
from gesta.store.finder import Answer, Sought
from gesta.store.names import Kind, Names
from gesta.store.port import (
    FEW_EVENTS_BYTES,
    CorruptLog,
    EventColumns,
    EventRecord,
    Stream,
    StreamHead,
)
from gesta.store.rows import EVENT_COLUMNS, Row, events_of, stream_of
from gesta.store.search import Bounds as Bounds
from gesta.store.search import Search
from gesta.store.streams import STREAM_COLUMNS, StreamNames

T = TypeVar("T")

_SELECT = f"SELECT {EVENT_COLUMNS} FROM events WHERE "  # noqa: S608
_LOG = _SELECT + "position > ? AND position <= ? ORDER BY position LIMIT ?"
_LOG_BACKWARDS = _SELECT + "position > ? AND position < ? ORDER BY position DESC LIMIT ?"
_AT = _SELECT + "position = ?"
_STREAM = _SELECT + "stream_id = ? AND version > ? AND +position <= ? ORDER BY version LIMIT ?"
_STREAM_BACKWARDS = (
    _SELECT + "stream_id = ? AND version < ? AND +position <= ? ORDER BY version DESC LIMIT ?"
)
_FIND_STREAM = (
    f"SELECT {STREAM_COLUMNS} FROM streams "  # noqa: S608
    "WHERE type_id = ? AND aggregate_id = ? AND +id <= ?"
)
_LIST_STREAMS = (
    f"SELECT {STREAM_COLUMNS} FROM streams "  # noqa: S608
    "WHERE type_id = ? AND aggregate_id >= ? AND aggregate_id < ? AND +id <= ? "
    "ORDER BY aggregate_id LIMIT ?"
)
_AFTER_ALL_TEXT = b""
"""SQLite sorts every BLOB after every TEXT."""

_POSITION = EventRecord._fields.index("position")
_VERSION = EventRecord._fields.index("version")


_BLOCK_EVENTS_MIN = 16
"""Fewer are sooner read row by row."""

_CHUNK_ROWS = 64
"""Rows fetched at once: as fast as a whole page, and no more than these exceed bytes_max."""


class Page(NamedTuple):
    """Events that were read, and whether a limit ended them."""

    events: list[EventRecord]
    is_cut: bool


class Reader:
    """The reads of one connection."""

    def __init__(self, connection: JobConnection, names: Names, streams_max: int) -> None:
        self.connection = connection
        self._names = names
        self._streams = StreamNames(connection, names.texts, streams_max)
        self._search = Search(connection, names, self.find_stream, self.head_of)

    def log(
        self, bounds: Bounds, after: int, until: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        events: list[EventRecord] = []
        for columns in self._columns(bounds, after, until, limit, bytes_max):
            events += columns.events()
        return events

    def log_columns(
        self,
        bounds: Bounds,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
        make: Callable[[EventColumns], T],
    ) -> list[T]:
        return list(map(make, self._columns(bounds, after, until, limit, bytes_max)))

    def log_backwards(
        self, bounds: Bounds, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        before = min(before, bounds.head + 1)
        if before <= 1:
            return []
        page = self._page(_LOG_BACKWARDS, (0, before, max(limit, 0)), limit, bytes_max)
        _check_run(page, _POSITION, before - 1, -1, 1)
        return page.events

    def positions(
        self, bounds: Bounds, positions: Sequence[int], bytes_max: int | None
    ) -> list[EventRecord]:
        events: list[EventRecord] = []
        size = 0
        for at in range(0, len(positions), _CHUNK_ROWS):
            rows = [self._row_at(bounds, each) for each in positions[at : at + _CHUNK_ROWS]]
            found = events_of(rows, self._streams, self._names.texts)
            events += found
            size += sum([_size(event) for event in found])
            if bytes_max is not None and size > bytes_max:
                return events[: _within(events, bytes_max)]
        return events

    def stream(
        self, bounds: Bounds, number: int, after: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        after = min(max(after, 0), bounds.head)
        page = self._page(_STREAM, (number, after, bounds.head, max(limit, 0)), limit, bytes_max)
        # Where the stream ends is not known here, but one that exists has a first event.
        last = page.events[-1].version if page.events else (1 if after == 0 else after)
        _check_run(page, _VERSION, after + 1, +1, last)
        return page.events

    def stream_backwards(
        self, bounds: Bounds, number: int, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        before = min(before, bounds.head + 1)
        if before <= 1:
            return []
        page = self._page(
            _STREAM_BACKWARDS, (number, before, bounds.head, max(limit, 0)), limit, bytes_max
        )
        first = page.events[0].version if page.events else 1
        _check_run(page, _VERSION, first, -1, 1)
        return page.events

    def find_streams(self, bounds: Bounds, some: Sequence[Sought]) -> list[Answer]:
        return self._search.find(bounds, some)

    def find_stream(
        self, bounds: Bounds, aggregate_type: str, aggregate_id: str, events_max: int
    ) -> StreamHead | None:
        type_id = self._names.numbers[Kind.AGGREGATE_TYPE].get(aggregate_type)
        row = self.connection.execute(
            _FIND_STREAM, (type_id, aggregate_id, bounds.streams)
        ).fetchone()
        if row is None:
            return None
        if stream_of(row, self._names.texts) != (aggregate_type, aggregate_id):
            raise CorruptLog(f"stream {row[0]} is not where its id says")
        if events_max > 0:
            parameters = (row[0], 0, bounds.head, events_max + 1)
            page = self._page(_STREAM, parameters, events_max + 1, FEW_EVENTS_BYTES)
            if not page.is_cut:
                version = max(len(page.events), 1)
                _check_run(page, _VERSION, 1, +1, version)
                return StreamHead(
                    Stream(aggregate_type, aggregate_id, row[0]), version, page.events
                )
        return self.head_of(bounds, aggregate_type, aggregate_id, row[0])

    def list_streams(
        self, bounds: Bounds, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        type_id = self._names.numbers[Kind.AGGREGATE_TYPE].get(aggregate_type)
        low = max(id_prefix, after_id + "\0")  # the least text greater than after_id
        high = _after_prefix(id_prefix)
        rows = self.connection.execute(
            _LIST_STREAMS, (type_id, low, high, bounds.streams, max(limit, 0))
        ).fetchall()
        heads = []
        for row in rows:
            of_type, aggregate_id = stream_of(row, self._names.texts)
            if of_type != aggregate_type or not aggregate_id.startswith(id_prefix):
                raise CorruptLog(f"stream {row[0]} is not where its id says")
            heads.append(self.head_of(bounds, aggregate_type, aggregate_id, row[0]))
        return heads

    def position_at(self, bounds: Bounds, commit_time_us: int) -> int:
        at_or_before, later = 0, bounds.head + 1
        while later - at_or_before > 1:
            middle = (at_or_before + later) // 2
            (event,) = self.log(bounds, middle - 1, middle, 1, 0)
            if event.commit_time_us <= commit_time_us:
                at_or_before = middle
            else:
                later = middle
        return at_or_before

    def _columns(
        self, bounds: Bounds, after: int, until: int, limit: int, bytes_max: int
    ) -> Iterator[EventColumns]:
        after, until = max(after, 0), min(until, bounds.head, after + limit)
        first, size = after, 0
        while after < until:
            last = min(until, after + EVENTS_MAX)
            columns, added = self._block(after, last, bytes_max - size)
            if size + added > bytes_max:
                events = columns.events()
                if kept := events[: _within(events, bytes_max - size, int(after == first))]:
                    yield EventColumns.of(kept)
                return
            yield columns
            if len(columns.position) < last - after:
                return
            after, size = last, size + added

    def _block(self, after: int, until: int, bytes_max: int) -> Block:
        """The events after one position, up to another, or to those that exceed bytes_max."""
        if until - after >= _BLOCK_EVENTS_MIN:
            streams, names = self._streams, self._names.texts
            block = block_of(self.connection, streams, names, after, until, bytes_max)
            if block is not None:
                return block
        page = self._page(_LOG, (after, until, until - after), until - after, bytes_max)
        _check_run(page, _POSITION, after + 1, +1, until)
        return Block(EventColumns.of(page.events), sum(map(_size, page.events)))

    def _row_at(self, bounds: Bounds, position: int) -> Row:
        row: Row | None = None
        if position <= bounds.head:
            row = self.connection.execute(_AT, (position,)).fetchone()
        if row is None:
            raise CorruptLog(f"position {position} is missing", position)
        return row

    def head_of(
        self, bounds: Bounds, aggregate_type: str, aggregate_id: str, number: int
    ) -> StreamHead:
        last = self.stream_backwards(bounds, number, bounds.head + 1, 1, 0)
        stream = Stream(aggregate_type, aggregate_id, number)
        return StreamHead(stream, last[0].version)

    def _page(self, sql: str, parameters: tuple[int, ...], limit: int, bytes_max: int) -> Page:
        events: list[EventRecord] = []
        size = 0
        with closing(self.connection.execute(sql, parameters)) as rows:
            while chunk := rows.fetchmany(_CHUNK_ROWS):
                found = events_of(chunk, self._streams, self._names.texts)
                size += sum([_size(event) for event in found])
                events += found
                if size > bytes_max:
                    kept = _within(events, bytes_max)
                    return Page(events[:kept], is_cut=kept < len(events) or kept >= limit)
        return Page(events, is_cut=len(events) >= limit)


def _size(event: EventRecord) -> int:
    """What counts towards bytes_max."""
    return len(event.data) + len(event.metadata or b"")


def _within(events: list[EventRecord], bytes_max: int, at_least: int = 1) -> int:
    """How many events, from the front, stay within bytes_max."""
    size = 0
    for count, event in enumerate(events):
        size += _size(event)
        if size > bytes_max and count >= at_least:
            return count
    return len(events)


def _check_run(page: Page, field: int, first: int, step: int, last: int) -> None:
    """Nothing is missing from `first` on, and nothing up to `last` unless a limit came before.

    `field` says where in an event the running number is.
    """
    events = page.events
    expected = range(first, first + step * len(events), step)
    if [event[field] for event in events] != list(expected):
        for event, number in zip(events, expected, strict=True):
            if event[field] != number:
                raise CorruptLog(
                    f"{EventRecord._fields[field]} {number} is missing", event.position
                )
    if not page.is_cut and expected.stop != last + step:
        missing = expected.stop
        raise CorruptLog(
            f"{EventRecord._fields[field]} {missing} is missing",
            missing if field == _POSITION else None,
        )


def _after_prefix(prefix: str) -> str | bytes:
    """The least key greater than all texts that start with the prefix."""
    stem = prefix.rstrip("\U0010ffff")
    if not stem:
        return _AFTER_ALL_TEXT
    following = ord(stem[-1]) + 1
    # The surrogates, U+D800 to U+DFFF, have no UTF-8.
    return stem[:-1] + chr(0xE000 if following == 0xD800 else following)
