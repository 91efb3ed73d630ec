"""Reads a whole log that no server has open, and says all that is wrong with it.

Reads of a server check what they meet. This meets everything, and also checks what only shows
between rows: the end of a stream, a stream without its row, an answer without its events.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from gesta.store.connection import SQLITE_ERRORS, JobConnection
from gesta.store.names import Kind
from gesta.store.offline import unserved
from gesta.store.port import CorruptLog, EventRecord, checksum, slice_of
from gesta.store.rows import (
    COMMAND_COLUMNS,
    EVENT_COLUMNS,
    Row,
    command_of,
    events_of,
    stream_of,
)
from gesta.store.schema import STATEMENTS
from gesta.store.streams import STREAM_COLUMNS, StreamNames

_CHUNK_ROWS = 256
_STREAMS_IN_MEMORY_MAX = 50_000
"""As many as a reader of a server remembers."""

_FILE_FINDINGS_MAX = 100
"""Of a file that SQLite cannot make sense of, more would say nothing new."""


class Finding(NamedTuple):
    """One thing that is wrong."""

    subject: str
    """Where: "file", or one of the tables."""
    detail: str
    position: int | None = None
    """Of the event, where it is about one."""


Progress = Callable[[str, int, int], object]
"""Is told of a subject, how much of it has been read, and how much there is; several times."""


def no_progress(subject: str, done: int, total: int) -> None:
    """Nobody watches."""


def verify(log: Path, on_progress: Progress = no_progress) -> Generator[Finding, None, None]:
    """What is wrong with a log: that of a directory, or a copy in a file that nobody writes.
    Nothing if all is well. Changes nothing.

    The first `next` raises LogLocked while a server has the log, NotALog if there is none, and
    StorageFailed if it cannot be read at all. End the iteration, or `close` it, to let go of the
    log. The time is that of reading the whole file, about twice.
    """
    with unserved(log) as connection:
        yield from findings(connection, on_progress)


def findings(connection: JobConnection, on_progress: Progress = no_progress) -> Iterator[Finding]:
    """The same of a log over a connection to a file that nobody writes."""
    return _Verification(connection, on_progress).findings()


class _Verification:
    """What is learnt on the way: each step builds on those before."""

    def __init__(self, connection: JobConnection, on_progress: Progress) -> None:
        self._connection = connection
        self._on_progress = on_progress
        self._texts: dict[int, str] = {}
        self._kinds: dict[int, int] = {}
        self._head = 0

    def findings(self) -> Iterator[Finding]:
        steps: list[tuple[str, Callable[[], Iterator[Finding]]]] = [
            ("file", self._file),
            ("log", self._log),
            ("incarnations", self._incarnations),
            ("names", self._names),
            ("streams", self._streams),
            ("events", self._events),
            ("streams", self._versions),
            ("epochs", self._epochs),
            ("commands", self._answers),
        ]
        for subject, step in steps:
            try:
                yield from step()
            except SQLITE_ERRORS as error:
                yield Finding(subject, f"cannot be read any further: {error}")

    def _file(self) -> Iterator[Finding]:
        present = {sql for (sql,) in self._connection.execute("SELECT sql FROM sqlite_schema")}
        for statement in STATEMENTS:
            if statement.encode() not in present:
                yield Finding("file", f"the schema lacks: {statement.splitlines()[0]}")
        (pages,) = self._connection.execute("PRAGMA page_count").fetchone()
        self._on_progress("file", 0, pages)
        for (text,) in self._connection.execute(f"PRAGMA integrity_check({_FILE_FINDINGS_MAX})"):
            if text != b"ok":
                yield Finding("file", text.decode(errors="replace"))
        self._on_progress("file", pages, pages)

    def _log(self) -> Iterator[Finding]:
        rows = self._connection.execute("SELECT log_id, created_us, checksum FROM log").fetchall()
        if len(rows) != 1:
            yield Finding("log", f"it has {len(rows)} identities instead of one")
        yield from _mismatches("log", rows, lambda row: "the log's identity")

    def _incarnations(self) -> Iterator[Finding]:
        rows = self._connection.execute("SELECT * FROM incarnations ORDER BY number").fetchall()
        yield from _gaps("incarnations", [row[0] for row in rows])
        yield from _mismatches("incarnations", rows, lambda row: f"incarnation {row[0]}")

    def _names(self) -> Iterator[Finding]:
        rows = self._connection.execute("SELECT * FROM names ORDER BY id").fetchall()
        yield from _gaps("names", [row[0] for row in rows])
        for number, kind, text, stored in rows:
            self._kinds[number] = kind
            try:
                self._texts[number] = name = text.decode()
            except (AttributeError, UnicodeDecodeError):
                yield Finding("names", f"name {number} is not text")
                continue
            if checksum((number, kind, name)) != stored:
                yield Finding("names", f"name {number} does not match its checksum")

    def _streams(self) -> Iterator[Finding]:
        last = 0
        for row in self._rows("streams", STREAM_COLUMNS):
            number, type_id, _, slice_number, _ = row
            yield from _gaps("streams", [number], last)
            last = number
            try:
                named = stream_of(row, self._texts)
            except CorruptLog as error:
                yield Finding("streams", error.detail)
                continue
            if slice_number != slice_of(*named):
                yield Finding("streams", f"stream {number} is not of slice {slice_number}")
            if self._kinds[type_id] != Kind.AGGREGATE_TYPE:
                yield Finding("streams", f"the type of stream {number} is no aggregate type")

    def _events(self) -> Iterator[Finding]:
        streams = StreamNames(self._connection, self._texts, _STREAMS_IN_MEMORY_MAX)
        before: EventRecord | None = None
        for row in self._rows("events", EVENT_COLUMNS):
            position = row[0]
            if position != self._head + 1:
                before = None
            for gap in _gaps("events", [position], self._head):
                yield gap._replace(position=self._head + 1)
            self._head = position
            try:
                (event,) = events_of([row], streams, self._texts)
            except CorruptLog as error:
                yield Finding("events", error.detail, position)
                before = None
                continue
            if before is not None:
                yield from _between(before, event)
            before = event
        if before is not None and before.more_in_command:
            yield Finding("events", "the last command is not complete", before.position)

    def _versions(self) -> Iterator[Finding]:
        """Answered by the index over (stream_id, version) alone."""
        grouped = self._connection.execute(
            "SELECT id, count(version), min(version), max(version) "
            "FROM streams LEFT JOIN events ON stream_id = id GROUP BY id ORDER BY id"
        )
        for number, count, first, last in grouped:
            if count == 0:
                yield Finding("streams", f"stream {number} has no events")
            elif (first, last) != (1, count):
                yield Finding(
                    "streams",
                    f"versions of stream {number} are missing: it has {count}, from {first} to "
                    f"{last}",
                )

    def _epochs(self) -> Iterator[Finding]:
        rows = self._connection.execute("SELECT * FROM epochs ORDER BY number").fetchall()
        yield from _gaps("epochs", [row[0] for row in rows])
        yield from _mismatches("epochs", rows, lambda row: f"epoch {row[0]}")
        reached = max((row[2] for row in rows if isinstance(row[2], int)), default=0)
        if reached > self._head:
            detail = f"the log ends at {self._head}, but reached {reached} before"
            yield Finding("epochs", detail, self._head + 1)

    def _answers(self) -> Iterator[Finding]:
        for row in self._rows("commands", COMMAND_COLUMNS):
            try:
                answer = command_of(row)
            except CorruptLog as error:
                yield Finding("commands", error.detail)
                continue
            written = self._connection.execute(
                "SELECT count(*) FROM events WHERE position > ? AND position <= ? "
                "AND command_id = ?",
                (answer.position - answer.event_count, answer.position, answer.command_id),
            ).fetchone()
            if answer.position > self._head or written != (answer.event_count,):
                yield Finding(
                    "commands",
                    f"command {answer.command_id.hex()} wrote {answer.event_count} events up to "
                    f"{answer.position}, which are not there",
                    answer.position,
                )

    def _rows(self, table: str, columns: str) -> Iterator[Row]:
        """The rows of a table in the order of its primary key, the first of the columns."""
        (total,) = self._connection.execute(
            f"SELECT count(*) FROM {table}"  # noqa: S608
        ).fetchone()
        done = 0
        self._on_progress(table, done, total)
        query = f"SELECT {columns} FROM {table} ORDER BY 1"  # noqa: S608
        with closing(self._connection.execute(query)) as rows:
            while chunk := rows.fetchmany(_CHUNK_ROWS):
                yield from chunk
                done += len(chunk)
                self._on_progress(table, done, total)


def _between(before: EventRecord, event: EventRecord) -> Iterator[Finding]:
    if event.commit_time_us < before.commit_time_us:
        yield Finding("events", "its commit time is before that of the last event", event.position)
    if before.more_in_command and event.command_id != before.command_id:
        yield Finding("events", "the command of the last event is not complete", event.position)


def _gaps(subject: str, numbers: Iterable[int], last: int = 0) -> Iterator[Finding]:
    """Where numbers in ascending order do not go on from the last one."""
    for number in numbers:
        if number == last + 2:
            yield Finding(subject, f"number {last + 1} is missing")
        elif number != last + 1:
            yield Finding(subject, f"numbers {last + 1} to {number - 1} are missing")
        last = number


def _mismatches(subject: str, rows: Iterable[Row], name: Callable[[Row], str]) -> Iterator[Finding]:
    for row in rows:
        if checksum(row[:-1]) != row[-1]:
            yield Finding(subject, f"{name(row)} does not match its checksum")
