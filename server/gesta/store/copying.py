"""A log copied while a server goes on writing it, and a copy put in the place of a lost log.

Not for a server: everything here blocks. What is written gets its name when it is complete, checked
and on the disk; a crash leaves a draft, whose name ends in ".new".
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from gesta.store import header
from gesta.store.connection import JobConnection, told
from gesta.store.lock import LogLock
from gesta.store.offline import connect_read_only, file_of, offline, read_only, unserved
from gesta.store.port import CorruptLog, Incarnation, LogInfo, LogLocked, NotALog
from gesta.store.rows import checksum
from gesta.store.schema import sync_directory
from gesta.store.seal import examine, lives
from gesta.store.sqlite import FILE, LOCK_FILE, make_directory
from gesta.store.verify import Progress, findings, no_progress

_STEP_PAGES = 4_096
"""16 MiB are copied between two calls of the progress."""


def back_up(
    directory: Path, to: Path, *, verified: bool = True, on_progress: Progress = no_progress
) -> LogInfo:
    """Copy the log in the directory to the file `to`, beside a server that may have it; it holds
    what was committed when the copy was begun. Returns what the copy has.

    Never to be called in the server's own process. The server goes on, but cannot begin its
    write-ahead log anew while pages are copied, so that it grows by all that is written. One that
    is *started* meanwhile does not start.

    `verified`: the whole copy is read and checked before it gets its name.
    Raises FileExistsError if there is anything at `to`, or a write-ahead log or a journal that
    SQLite would take for that of the copy; NotALog if there is no log; CorruptLog for
    a damaged one, which leaves nothing; StorageFailed for what the file system says.
    """
    _must_be_free(to)
    draft = to.with_name(f"{to.name}.{os.getpid()}.new")
    with told(), _becomes(draft, to):
        with _beside_a_server(directory) as source:
            _copy(source, draft, on_progress)
        info = _checked(draft, verified, on_progress)
        _must_be_free(to)
    return info


def restore(
    backup: Path,
    directory: Path,
    *,
    replaced: Path | None = None,
    verified: bool = True,
    on_progress: Progress = no_progress,
) -> LogInfo:
    """Make a copy of a log the log of the directory, in a new incarnation: whoever has read beyond
    the copy in an earlier one is told so. `backup` stays as it is. Returns what the log has now.

    `backup` and `replaced`: a file, or a directory that has one. `replaced` is what is left of the
    log that this one takes the place of. Its incarnations count as had: it may have been restored
    after the backup was made, and its readers must not take the new incarnation for theirs.

    Raises FileExistsError if the directory has a log; LogLocked if a server has the directory, or
    `backup`; NotALog if `backup` is none, or `replaced` is another one; CorruptLog for a damaged
    `backup` (unless not `verified`, and a server could start on it) or `replaced`; StorageFailed.
    Then the directory has no log.
    """
    with told(), ExitStack() as stack:
        make_directory(directory)
        stack.callback(LogLock.take_at_once(directory / LOCK_FILE).release)
        path = directory / FILE
        if header.exists(path):
            raise FileExistsError(f"there is a log at {path}")
        draft = path.with_name(path.name + ".new")
        draft.unlink(missing_ok=True)
        stack.enter_context(_becomes(draft, path))
        with unserved(backup) as source:
            found = examine(source)
            _copy(source, draft, on_progress)
        lost = () if replaced is None else _lives_of(replaced, found.info.log_id)
        _begin_incarnation(draft, found.info, lost)
        return _checked(draft, verified, on_progress)


def _must_be_free(to: Path) -> None:
    for suffix in ("", "-wal", "-journal"):
        if os.path.lexists(f"{to}{suffix}"):
            raise FileExistsError(f"there is a file at {to}{suffix}")


@contextmanager
def _becomes(draft: Path, path: Path) -> Iterator[None]:
    """Within this the draft is made. Then it gets its name, durably, or nothing is left of it."""
    try:
        yield
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


@contextmanager
def _beside_a_server(directory: Path) -> Iterator[JobConnection]:
    """A connection that sees what is committed now, and nothing later, whoever writes."""
    with ExitStack() as stack:
        try:
            connection = stack.enter_context(offline(directory))
        except LogLocked:  # whoever has it knows that it is a log; its bytes are on the move
            served = connect_read_only(directory / FILE, served=True)
            connection = stack.enter_context(closing(served))
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM log").fetchone()  # from here on
        yield connection


def _copy(source: JobConnection, draft: Path, on_progress: Progress) -> None:
    """Page by page, synced at the end."""

    def progress(status: int, left: int, total: int) -> None:
        on_progress("pages", total - left, total)

    draft.touch(mode=0o600, exist_ok=False)
    with closing(sqlite3.connect(draft, isolation_level=None)) as target:
        target.execute("PRAGMA journal_mode = OFF")  # one would be left on a full disk
        target.execute("PRAGMA synchronous = FULL")
        source.backup(target, pages=_STEP_PAGES, progress=progress)


def _lives_of(log: Path, log_id: bytes) -> tuple[Incarnation, ...]:
    """Those of what is left of a log, damaged as it may be."""
    path = file_of(log)
    if not path.exists():
        raise NotALog(f"there is no log at {path}")
    with closing(connect_read_only(path)) as connection:
        found, incarnations = lives(connection)
    if found != log_id:
        raise NotALog(f"{path} is another log, not one that the backup is a copy of")
    return incarnations


def _begin_incarnation(draft: Path, info: LogInfo, lost: tuple[Incarnation, ...]) -> None:
    """The one after all that the copy and the lost log had, and those that the copy does not know
    of. They fork off after the copy's last event, or where the two logs had parted before: what a
    reader has of the lost one is in the copy only up to there."""
    known = info.incarnations[-1].number
    had = max([known, *(each.number for each in lost)])
    parted = {*lost} ^ {each for each in info.incarnations if each.number <= len(lost)}
    fork_position = min([info.head, *(each.fork_position for each in parted)])
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_mode = DELETE")  # nothing is left beside the draft
        connection.execute("BEGIN")
        for number in range(known + 1, had + 2):
            row = Incarnation(number, fork_position)
            connection.execute("INSERT INTO incarnations VALUES (?, ?, ?)", (*row, checksum(row)))
        connection.execute("COMMIT")


def _checked(draft: Path, verified: bool, on_progress: Progress) -> LogInfo:
    with read_only(draft) as connection:
        info = examine(connection).info
        for found in findings(connection, on_progress) if verified else ():
            raise CorruptLog(f"{found.subject}: {found.detail}", found.position)
    return info
