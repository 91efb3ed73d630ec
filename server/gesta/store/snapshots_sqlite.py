"""Snapshots in a SQLite file beside the log, which anybody may delete while no server runs.

It is not synced: what a loss of power damages is dropped, as is everything that is not as it was
written. docs/format.md describes it; it is not frozen.
"""

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TypeVar

from gesta.store.connection import JobConnection
from gesta.store.derived_file import DerivedFile, Unfit
from gesta.store.port import LogInfo, checksum
from gesta.store.snapshots import Snapshot, SnapshotCount, thinned
from gesta.store.writing import roll_back

_LOG = logging.getLogger("gesta.store")

FILE = "snapshots.sqlite3"
FORMAT = 1
APPLICATION_ID = 0x67657373
"""The letters "gess"."""

_TABLES = (
    """CREATE TABLE of_log(
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id BLOB NOT NULL,
    incarnation INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE snapshots(
    aggregate_type TEXT NOT NULL,
    aggregate_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    event_checksum INTEGER NOT NULL,
    fingerprint BLOB NOT NULL,
    state BLOB NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, version)
) STRICT, WITHOUT ROWID""",
)
_FIND = (
    "SELECT aggregate_type, aggregate_id, version, position, event_checksum, fingerprint, state, "
    "checksum FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? AND version <= ? "
    "ORDER BY version DESC"
)
_DELETE = "DELETE FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? AND version = ?"
_VERSION_MAX = (1 << 63) - 1
T = TypeVar("T")


class SqliteSnapshots:
    """The snapshots of the log in `directory`; at most `pages_max` pages of 4 KiB of them."""

    def __init__(self, directory: Path, *, pages_max: int = 1 << 20) -> None:
        self._file: DerivedFile[None] = DerivedFile(directory / FILE)
        self._pages_max = pages_max

    async def open(self, log: LogInfo) -> None:
        of_log = (log.log_id, log.incarnations[-1].number)
        await self._file.open(partial(_begin, of_log, self._pages_max))

    async def look(self) -> bool:
        """Instead of `open`: takes a file that is there, of whatever log, perhaps beside the server
        that uses it, and changes nothing. Whether there is one that can be used."""
        return await self._file.look(_check_format)

    async def find(
        self, aggregate_type: str, aggregate_id: str, fingerprint: bytes, at_most_version: int
    ) -> Snapshot | None:
        named = (aggregate_type, aggregate_id)
        return await self._file.run(None, _find, named, fingerprint, at_most_version)

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        await self._file.run(None, _save, snapshots)

    async def count(self) -> Mapping[str, SnapshotCount]:
        return await self._file.run({}, _count)

    async def clear(self, aggregate_type: str | None = None) -> int:
        return await self._file.run(0, _clear, aggregate_type)

    async def close(self) -> None:
        await self._file.close()

    def abandon(self) -> None:
        self._file.abandon()


def _check_format(connection: JobConnection) -> None:
    """Unfit for a file of something else."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application_id, version) != (APPLICATION_ID, FORMAT):
        raise Unfit(f"it has format {version}, or is no file of snapshots")


def _begin(of_log: tuple[bytes, int], pages_max: int, connection: JobConnection) -> None:
    """A file of this log, in order; Unfit for one that is to be begun anew."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute("PRAGMA journal_mode = WAL").fetchall()
    # Not even synced: what is damaged is found, here or by its checksum, and dropped.
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute(f"PRAGMA max_page_count = {pages_max}").fetchall()
    if pages == 0:
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        for table in _TABLES:
            connection.execute(table)
        connection.execute("INSERT INTO of_log VALUES (1, ?, ?)", of_log)
        connection.execute("COMMIT")
        return
    check_is_of(connection, of_log)


def check_is_of(connection: JobConnection, of_log: tuple[bytes, int]) -> None:
    """Unfit for a file of something else, of another log or of another incarnation."""
    _check_format(connection)
    if connection.execute("SELECT log_id, incarnation FROM of_log").fetchone() != of_log:
        raise Unfit("it is of another log, or from before a restore")


def all_of(connection: JobConnection, named: tuple[str, str]) -> list[Snapshot]:
    """All of one aggregate, by whatever code, but for those that are damaged."""
    rows = connection.execute(_FIND, (*named, _VERSION_MAX))
    found = [_snapshot(row) for row in rows]
    return [each for each in found if each is not None and each[:2] == named]


def _find(
    connection: JobConnection, named: tuple[str, str], fingerprint: bytes, at_most: int
) -> Snapshot | None:
    damaged: list[object] = []
    found: Snapshot | None = None
    with closing(connection.execute(_FIND, (*named, at_most))) as rows:
        for row in rows:
            found = _snapshot(row)
            if found is None or found[:2] != named:
                damaged.append(row[2])
            elif found.fingerprint == fingerprint:
                break
            found = None
    for version in damaged:
        _LOG.warning("a snapshot of %s<%s> is damaged, and is dropped", *named)
        connection.execute(_DELETE, (*named, version))
    return found


def _snapshot(row: tuple[object, ...]) -> Snapshot | None:
    """None for a damaged one. Text comes as bytes."""
    aggregate_type, aggregate_id, *rest, stored = row
    try:
        named = (aggregate_type.decode(), aggregate_id.decode())  # type: ignore[attr-defined]
        found = Snapshot(*named, *rest)  # type: ignore[arg-type]  # the checksum vouches for them
    except (AttributeError, TypeError, UnicodeDecodeError):
        return None
    return found if checksum(found) == stored else None


def _save(connection: JobConnection, snapshots: Sequence[Snapshot]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for each in snapshots:
            _save_one(connection, each)
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise


def _save_one(connection: JobConnection, new: Snapshot) -> None:
    named = (new.aggregate_type, new.aggregate_id)
    connection.execute(
        "DELETE FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? AND fingerprint <> ?",
        (*named, new.fingerprint),
    )
    connection.execute(
        "INSERT OR REPLACE INTO snapshots VALUES (?,?,?,?,?,?,?,?)", (*new, checksum(new))
    )
    rows = connection.execute(
        "SELECT version FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ?", named
    )
    versions = [_proper(version, int) for (version,) in rows]
    for version in set(versions) - thinned(versions):
        connection.execute(_DELETE, (*named, version))


def _count(connection: JobConnection) -> Mapping[str, SnapshotCount]:
    rows = connection.execute(
        "SELECT aggregate_type, count(*), count(DISTINCT aggregate_id), sum(length(state)) "
        "FROM snapshots GROUP BY aggregate_type"
    )
    return {
        _proper(name, bytes).decode(errors="replace"): SnapshotCount(*counts)
        for name, *counts in rows
    }


def _clear(connection: JobConnection, aggregate_type: str | None) -> int:
    sql = "DELETE FROM snapshots"
    if aggregate_type is None:
        gone: int = connection.execute(sql).rowcount
    else:
        gone = connection.execute(f"{sql} WHERE aggregate_type = ?", (aggregate_type,)).rowcount
    return gone


def _proper(value: object, of_type: type[T]) -> T:
    """Unfit for a value that the table cannot have."""
    if not isinstance(value, of_type):
        raise Unfit(f"there is {value!r} where it cannot be")
    return value
