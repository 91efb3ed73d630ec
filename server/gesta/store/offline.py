"""A log that no server has open, read and never written. Not for a server: it blocks.

No recovery, no checkpoint, no new epoch: opening it leaves the log as it was found. Nothing beside
it changes but the name in the lock file; and where a server was killed, SQLite keeps an index of
the write-ahead log while it is read.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

from gesta.store import header, wal
from gesta.store.connection import SQLITE_ERRORS, JobConnection, told
from gesta.store.lock import LogLock
from gesta.store.port import EventRecord, NotALog, Stream
from gesta.store.reading import Bounds, Reader
from gesta.store.rows import Row, stream_of
from gesta.store.seal import examine
from gesta.store.sqlite import FILE, LOCK_FILE
from gesta.store.streams import STREAM_COLUMNS

_PAGE_EVENTS = 4_096
_PAGE_BYTES = 1 << 20
_PAGE_STREAMS = 1_000
_STREAMS_IN_MEMORY_MAX = 1_000
"""Streams are read one after the other."""


def unserved(log: Path) -> AbstractContextManager[JobConnection]:
    """The log of a directory, or a copy in a file; raises as `offline`. It is locked, by whichever
    of the two it is named, if a server has ever had it, and could here."""
    with told():
        path = Path(os.path.realpath(file_of(log)))  # as SQLite finds it
        is_a_servers = path.name == FILE and path.with_name(LOCK_FILE).exists()
        if is_a_servers and not os.statvfs(path.parent).f_flag & os.ST_RDONLY:
            return offline(path.parent)
    return read_only(path)


def file_of(log: Path) -> Path:
    """That of a log which is named by its directory, or by the file itself."""
    return log / FILE if log.is_dir() else log


@contextmanager
def offline(directory: Path) -> Iterator[JobConnection]:
    """The log in a directory; a server that is started meanwhile is refused.

    Raises LogLocked while a server has the log, NotALog if there is none, StorageFailed or
    CorruptLog if it cannot be read at all.
    """
    path = directory / FILE
    with told():
        if not path.exists():
            raise NotALog(f"there is no log at {path}")
        lock = LogLock.take_at_once(directory / LOCK_FILE)
    try:
        with read_only(path) as connection:
            yield connection
    finally:
        lock.release()


@contextmanager
def read_only(path: Path) -> Iterator[JobConnection]:
    """The log in a file that nobody writes. Raises NotALog, StorageFailed or CorruptLog."""
    with told():
        if not header.exists(path):
            raise NotALog(f"there is no log at {path}")
    with closing(connect_read_only(path)) as connection:
        yield connection


class OfflineLog:
    """The streams and events of a log, over a connection that `offline` gave.

    Every method raises CorruptLog for what is not as it was written, and StorageFailed.
    """

    def __init__(self, connection: JobConnection) -> None:
        with told():
            found = examine(connection)
        self.info = found.info
        self.head = found.info.head
        self._connection = connection
        self._names = found.names
        self._bounds = Bounds(self.head, found.streams)
        self._reader = Reader(connection, found.names, _STREAMS_IN_MEMORY_MAX)

    def streams(self) -> Iterator[Stream]:
        """All of them, in the order of their first events."""
        last = 0
        while rows := self._stream_rows(last):
            for row in rows:
                last = row[0]
                yield Stream(*stream_of(row, self._names.texts), last)

    def events(self, stream: Stream) -> Iterator[EventRecord]:
        """Of one stream, from version 1, a page at a time."""
        assert stream.number is not None, "a stream of this log"
        version = 0
        while page := self._page(stream.number, version):
            yield from page
            version = page[-1].version

    def _stream_rows(self, after: int) -> list[Row]:
        query = f"SELECT {STREAM_COLUMNS} FROM streams WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
        with told():
            rows: list[Row] = self._connection.execute(query, (after, _PAGE_STREAMS)).fetchall()
        return rows

    def _page(self, number: int, after: int) -> list[EventRecord]:
        with told():
            return self._reader.stream(self._bounds, number, after, _PAGE_EVENTS, _PAGE_BYTES)


def connect_read_only(path: Path, *, served: bool = False) -> JobConnection:
    """A connection to a file that nobody writes, unless it is `served`. Raises CorruptLog or
    StorageFailed.

    Where the write-ahead log holds nothing, SQLite is told not even to look for it: then it
    neither makes a file nor needs to be allowed to."""
    beside = path.with_name(path.name + "-wal")
    with told():
        untouched = "" if served or wal.committed(beside).pages else "&immutable=1"
        uri = f"{path.absolute().as_uri()}?mode=ro{untouched}"
        connection = sqlite3.connect(uri, uri=True, factory=JobConnection, isolation_level=None)
        try:
            connection.execute("SELECT 1 FROM sqlite_schema").fetchone()
        except SQLITE_ERRORS:
            connection.close()
            raise
    return connection
