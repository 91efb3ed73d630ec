"""Start-up: after it, everything readable is on the disk for certain.

A process that was killed inside COMMIT leaves events in the write-ahead log that no sync has
covered: readable now, gone after a power cut. So nothing is answered before a checkpoint has
rewritten and synced all of it, and a commit of our own (the new epoch) has gone through.
"""

import logging
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, replace

from gesta.store.connection import JobConnection
from gesta.store.names import Name, Names
from gesta.store.port import CorruptLog, Incarnation, LogInfo, StorageFailed
from gesta.store.rows import (
    COMMAND_COLUMNS,
    EVENT_COLUMNS,
    check,
    checksum,
    command_of,
    events_of,
    is_intact_command,
)
from gesta.store.schema import STATEMENTS
from gesta.store.streams import StreamNames

_LOG = logging.getLogger("gesta.store")

WAL_BYTES_KEPT_MAX = 64 << 20
"""The write-ahead log file is cut to this when it is begun anew after a burst."""

_QUIET_COMMANDS_MAX = 100
"""So many damaged answers are passed over, at most, in search of the newest time."""


@dataclass(frozen=True, slots=True)
class Found:
    """A log that was opened."""

    info: LogInfo
    names: Names
    streams: int
    """How many streams there are; their numbers run from 1 to it."""


def seal(connection: JobConnection, now_us: int, cache_kib: int) -> Found:
    """Recover, make durable, verify what a start rests on, and begin a new epoch."""
    _warn_of_the_wal_reset_bug()
    _configure(connection, cache_kib)
    _settle(connection)
    found = examine(connection)
    epoch = _begin_epoch(connection, now_us, found.info)
    return replace(found, info=replace(found.info, epoch=epoch))


def examine(connection: JobConnection) -> Found:
    """What there is, checked as far as a start rests on it. Writes nothing; the epoch is the last
    one, 0 before the first."""
    _check_schema(connection)
    log_id, incarnations = lives(connection)
    names = _names(connection)
    head, last_event_us = _head(connection, names)
    last_us = max(last_event_us, _last_quiet_command_us(connection))
    (streams,) = connection.execute("SELECT ifnull(max(id), 0) FROM streams").fetchone()
    epoch = _last_epoch(connection, head)
    return Found(LogInfo(log_id, incarnations, epoch, head, last_us), names, streams)


def lives(connection: JobConnection) -> tuple[bytes, tuple[Incarnation, ...]]:
    """The log's id and its incarnations, of a log that may be damaged elsewhere."""
    return _identity(connection), _incarnations(connection)


def _warn_of_the_wal_reset_bug() -> None:
    version = sqlite3.sqlite_version_info
    fixed = version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or version[:2] == (3, 44)
    if not fixed or (3, 44) <= version < (3, 44, 6):
        _LOG.warning(
            "SQLite %s can lose commits when two connections write or checkpoint at once "
            "(the WAL-reset bug, fixed in 3.51.3, 3.50.7 and 3.44.6). gesta never does; keep other "
            "programs from writing to its log.",
            sqlite3.sqlite_version,
        )


def _configure(connection: JobConnection, cache_kib: int) -> None:
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != b"wal":  # it stays as it was, silently, on a file system without shared memory
        raise StorageFailed(f"this file system cannot keep a write-ahead log (mode {mode!r})")
    for pragma in (
        "synchronous = FULL",  # a commit is synced before it is acknowledged
        "fullfsync = ON",  # on macOS, where fsync alone does not reach the disk
        "wal_autocheckpoint = 0",  # never inside the commit of some unlucky command
        f"journal_size_limit = {WAL_BYTES_KEPT_MAX}",
        f"cache_size = -{cache_kib}",
        "mmap_size = 0",  # an I/O error under mmap is a signal, not an exception
        "temp_store = MEMORY",
        "trusted_schema = OFF",
        "recursive_triggers = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
    if synchronous != 2:  # FULL
        raise StorageFailed(f"synchronous is {synchronous}, not FULL")


def _settle(connection: JobConnection) -> None:
    """Rewrite and sync into the database what recovery found in the write-ahead log."""
    busy, frames, moved = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy or frames != moved or frames < 0:
        raise StorageFailed(
            f"the checkpoint did not end: busy {busy}, {moved} of {frames} frames; "
            "another program has the log open"
        )


def _check_schema(connection: JobConnection) -> None:
    """Nobody has removed a table, an index or a trigger; more of them are not our concern."""
    present = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")}
    for statement in STATEMENTS:
        if statement.encode() not in present:
            raise CorruptLog(f"the schema lacks: {statement.splitlines()[0]}")


def _identity(connection: JobConnection) -> bytes:
    row = connection.execute("SELECT log_id, created_us, checksum FROM log").fetchone()
    if row is None:
        raise CorruptLog("the log has no identity")
    check(row[:-1], row[-1], "the log's identity")
    log_id: bytes = row[0]
    return log_id


def _incarnations(connection: JobConnection) -> tuple[Incarnation, ...]:
    found = []
    for *record, stored in connection.execute("SELECT * FROM incarnations ORDER BY number"):
        check(tuple(record), stored, f"incarnation {record[0]}")
        found.append(Incarnation(*record))
    _check_numbers((each.number for each in found), "incarnation")
    if not found:
        raise CorruptLog("the log has no incarnation")
    return tuple(found)


def _names(connection: JobConnection) -> Names:
    found = []
    for number, kind, text, stored in connection.execute("SELECT * FROM names ORDER BY id"):
        try:
            name = Name(number, kind, text.decode())
        except (AttributeError, UnicodeDecodeError) as error:
            raise CorruptLog(f"name {number} is not text") from error
        check(name, stored, f"name {number}")
        found.append(name)
    _check_numbers((each.number for each in found), "name")
    return Names(found)


def _check_numbers(numbers: Iterable[int], what: str) -> None:
    for expected, number in enumerate(numbers, 1):
        if number != expected:
            raise CorruptLog(f"{what} {expected} is missing")


def _head(connection: JobConnection, names: Names) -> tuple[int, int]:
    """Position and commit time of the last event."""
    row = connection.execute(
        f"SELECT {EVENT_COLUMNS} FROM events ORDER BY position DESC LIMIT 1"  # noqa: S608
    ).fetchone()
    if row is None:
        return 0, 0
    (event,) = events_of([row], StreamNames(connection, names.texts, 1), names.texts)
    return event.position, event.commit_time_us


def _last_quiet_command_us(connection: JobConnection) -> int:
    """When a command without events was committed last, as far as it is remembered.

    Without the damaged ones: no event bears their time, so nothing runs backwards.
    """
    rows = connection.execute(
        f"SELECT {COMMAND_COLUMNS} FROM commands WHERE event_count = 0 "  # noqa: S608
        f"ORDER BY commit_time_us DESC LIMIT {_QUIET_COMMANDS_MAX}"
    )
    with closing(rows):
        for row in rows:
            if is_intact_command(row):
                return command_of(row).commit_time_us
            _LOG.warning("the answer to command %s is damaged", row[0].hex())
    return 0


def _last_epoch(connection: JobConnection, head: int) -> int:
    row = connection.execute(
        "SELECT number, started_us, head, checksum FROM epochs ORDER BY number DESC LIMIT 1"
    ).fetchone()
    if row is None:
        return 0
    check(row[:-1], row[-1], f"epoch {row[0]}")
    number: int
    number, _, head_then, _ = row
    if head_then > head:
        raise CorruptLog(f"the log ends at {head}, but reached {head_then} before", head + 1)
    return number


def _begin_epoch(connection: JobConnection, now_us: int, last: LogInfo) -> int:
    epoch = (last.epoch + 1, now_us, last.head)
    connection.execute("INSERT INTO epochs VALUES (?, ?, ?, ?)", (*epoch, checksum(epoch)))
    return epoch[0]
