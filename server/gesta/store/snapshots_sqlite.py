"""Snapshots in a SQLite file beside the log, which anybody may delete while no server runs.

It is not synced: what a loss of power damages is dropped, as is everything that is not as it was
written. docs/format.md describes it; it is not frozen.
"""

import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from gesta.store.connection import Job, JobConnection, Link, is_code
from gesta.store.port import LogInfo, StorageFailed
from gesta.store.rows import checksum
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
_COLUMNS = (
    "aggregate_type, aggregate_id, version, position, event_checksum, fingerprint, state, checksum"
)
_MISHAPS = (sqlite3.Error, OSError, StorageFailed)
"""What can happen to a file. Anything else is a bug, and raised."""

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class SqliteSnapshots:
    """The snapshots of the log in `directory`; at most `pages_max` pages of 4 KiB of them."""

    def __init__(self, directory: Path, *, pages_max: int = 1 << 20) -> None:
        self._path = directory / FILE
        self._pages_max = pages_max
        self._link: Link | None = None
        self._told: set[str] = set()

    async def open(self, log: LogInfo) -> None:
        of_log = (log.log_id, log.incarnations[-1].number)
        for again in (False, True):
            try:
                if again:
                    self._delete()
                self._path.touch(mode=0o600)
                self._link = await Link.open(self._path, "rw")
                await self._link.run(_prepare, of_log, self._pages_max)
                return
            except _MISHAPS as error:
                _LOG.warning("%s is begun anew: %s", self._path.name, error)
                await self.close()
        _LOG.error("there will be no snapshots: %s cannot be made", self._path)

    async def look(self) -> bool:
        """Instead of `open`: takes a file that is there, of whatever log, perhaps beside the server
        that uses it, and changes nothing. Whether there is one that can be used."""
        if not self._path.is_file():
            return False
        try:
            self._link = await Link.open(self._path, "rw")
            await self._link.run(_check_format)
        except _MISHAPS as error:
            _LOG.warning("%s cannot be read: %s", self._path.name, error)
            await self.close()
        return self._link is not None

    async def find(
        self, aggregate_type: str, aggregate_id: str, fingerprint: bytes, at_most_version: int
    ) -> Snapshot | None:
        named = (aggregate_type, aggregate_id)
        return await self._try(None, _find, named, fingerprint, at_most_version)

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        await self._try(None, _save, snapshots)

    async def count(self) -> Mapping[str, SnapshotCount]:
        return await self._try({}, _count)

    async def clear(self, aggregate_type: str | None = None) -> int:
        return await self._try(0, _clear, aggregate_type)

    async def close(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            try:
                await link.close()
            except _MISHAPS as error:
                _LOG.warning("%s was not closed: %s", self._path.name, error)
                link.stop()

    def abandon(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.stop()

    async def _try(self, nothing: T, job: Job[*Ts, T], *parameters: *Ts) -> T:
        """What the job gives; `nothing` where there is no file, or something happened to it."""
        if self._link is None:
            return nothing
        try:
            return await self._link.run(job, *parameters)
        except _MISHAPS as error:
            self._tell(error)
            if is_code(error, sqlite3.SQLITE_CORRUPT) or is_code(error, sqlite3.SQLITE_NOTADB):
                await self.close()
                self._delete()
            return nothing

    def _tell(self, error: Exception) -> None:
        """Once for each kind: a full disk would fill the log, too."""
        if str(error) not in self._told:
            self._told.add(str(error))
            _LOG.warning("snapshots: %s: %s", type(error).__name__, error)

    def _delete(self) -> None:
        for suffix in ("", "-wal", "-shm", "-journal"):
            Path(f"{self._path}{suffix}").unlink(missing_ok=True)


def _check_format(connection: JobConnection) -> None:
    """OperationalError for a file of something else."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if (application_id, version) != (APPLICATION_ID, FORMAT):
        raise sqlite3.OperationalError(f"it has format {version}, or is no file of snapshots")


def _prepare(connection: JobConnection, of_log: tuple[bytes, int], pages_max: int) -> None:
    """A file of this log, in order; OperationalError for one that is to be begun anew."""
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
    _check_format(connection)
    if connection.execute("SELECT log_id, incarnation FROM of_log").fetchone() != of_log:
        raise sqlite3.OperationalError("it is of another log, or from before a restore")


def _find(
    connection: JobConnection, named: tuple[str, str], fingerprint: bytes, at_most: int
) -> Snapshot | None:
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? "  # noqa: S608
        "AND version <= ? ORDER BY version DESC",
        (*named, at_most),
    )
    for row in rows:
        found = _snapshot(row)
        if found is None or found[:2] != named:
            _LOG.warning("a snapshot of %s<%s> is damaged, and is not used", *named)
        elif found.fingerprint == fingerprint:
            return found
    return None


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
    versions = [
        version
        for (version,) in connection.execute(
            "SELECT version FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ?", named
        )
    ]
    for version in set(versions) - thinned(versions):
        connection.execute(
            "DELETE FROM snapshots WHERE aggregate_type = ? AND aggregate_id = ? AND version = ?",
            (*named, version),
        )


def _count(connection: JobConnection) -> Mapping[str, SnapshotCount]:
    rows = connection.execute(
        "SELECT aggregate_type, count(*), count(DISTINCT aggregate_id), sum(length(state)) "
        "FROM snapshots GROUP BY aggregate_type"
    )
    return {name.decode(errors="replace"): SnapshotCount(*counts) for name, *counts in rows}


def _clear(connection: JobConnection, aggregate_type: str | None) -> int:
    sql = "DELETE FROM snapshots"
    if aggregate_type is None:
        gone: int = connection.execute(sql).rowcount
    else:
        gone = connection.execute(f"{sql} WHERE aggregate_type = ?", (aggregate_type,)).rowcount
    return gone
