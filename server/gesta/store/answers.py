"""The remembered answers to commands: find, list, forget.

A damaged answer stands for itself alone: whoever asks for it is told, and all else goes on. It is
never forgotten, because what says how old it is may be what is damaged.
"""

import logging
import sqlite3
from contextlib import closing

from gesta.store.connection import JobConnection, is_code
from gesta.store.port import CommandRecord, CorruptLog
from gesta.store.reading import Reader
from gesta.store.rows import COMMAND_COLUMNS, Row, command_of, is_intact_command
from gesta.store.writing import roll_back

_LOG = logging.getLogger("gesta.store")

_FIND = f"SELECT {COMMAND_COLUMNS} FROM commands WHERE command_id = ?"  # noqa: S608
_FROM = (
    f"SELECT {COMMAND_COLUMNS} FROM commands "  # noqa: S608
    "WHERE command_id >= ? AND command_id < ? ORDER BY command_id LIMIT ?"
)
_DOWN_FROM = (
    f"SELECT {COMMAND_COLUMNS} FROM commands "  # noqa: S608
    "WHERE command_id >= ? AND command_id < ? ORDER BY command_id DESC"
)
_WRITER_OF = "SELECT command_id FROM events WHERE position = ?"
_CHUNK_ROWS = 256

_END = b"\xff" * 17
"""Greater than every id."""

_ID_BYTES = 16


class Answers:
    """The reads of answers, for all readers of one log."""

    def __init__(self) -> None:
        self._lost: set[bytes] = set()
        """Ids of commands that were accepted, whose answers stand under damaged ids."""

    def find(self, reader: Reader, command_id: bytes) -> CommandRecord | None:
        row: Row | None = reader.connection.execute(_FIND, (command_id,)).fetchone()
        if row is not None:
            return command_of(row)
        if command_id in self._lost:
            raise CorruptLog(f"the answer to command {command_id!r} stands under a damaged id")
        return None

    def ids_between(self, reader: Reader, low: bytes, high: bytes, limit: int) -> list[bytes]:
        """Reads whole answers, because damage shows only in their checksums."""
        ids: list[bytes] = []
        damaged: list[Row] = []
        with closing(reader.connection.execute(_DOWN_FROM, (low, high))) as rows:
            while len(ids) < limit and (chunk := rows.fetchmany(_CHUNK_ROWS)):
                ids += [row[0] for row in chunk if len(row[0]) == _ID_BYTES]
                damaged += [row for row in chunk if not is_intact_command(row)]
        if not damaged:
            return ids[: max(limit, 0)]
        _LOG.warning(
            "%d answers to commands are damaged, the first that of command %s; who asks for one "
            "again is told so",
            len(damaged),
            damaged[0][0].hex(),
        )
        lost = {each for row in damaged for each in _written_by(reader, row)}
        self._lost |= lost
        if len(ids) >= limit:
            low = ids[-1]  # below it there are others, that were not read
        ids += [each for each in lost if low <= each < high]
        return sorted(ids, reverse=True)[: max(limit, 0)]


def _written_by(reader: Reader, damaged: Row) -> list[bytes]:
    """The id a damaged answer had, if the event it points to tells another one without answer."""
    position = damaged[COMMAND_COLUMNS.split(", ").index("position")]
    found = reader.connection.execute(_WRITER_OF, (position,)).fetchone()
    if found is None or reader.connection.execute(_FIND, found).fetchone() is not None:
        return []
    return [found[0]]


class Pruner:
    """Forgets old answers, a bounded piece at a time. Runs on the writer's thread.

    Time-ordered ids that are old lie together at the left of the table, where every call looks
    first. Ids of other kinds, and those whose time is not that of their commit, lie anywhere: a
    sweep goes round the whole table for them, by one piece a call.
    """

    def __init__(self) -> None:
        self._sweep_from = b""

    def prune(self, connection: JobConnection, before_us: int, limit: int) -> int:
        """Look at up to 2 x `limit` answers, forget up to `limit` of them; how many."""
        try:
            return _delete(connection, self._old(connection, before_us, limit))
        except sqlite3.DatabaseError as error:
            if not is_code(error, sqlite3.SQLITE_CORRUPT):
                raise
            _LOG.warning("old answers cannot be removed: %s", error)
            return 0

    def _old(self, connection: JobConnection, before_us: int, limit: int) -> list[bytes]:
        made_before = max(0, before_us // 1_000).to_bytes(6, "big")
        left = connection.execute(_FROM, (b"", made_before, limit)).fetchall()
        swept = connection.execute(_FROM, (self._sweep_from, _END, limit)).fetchall()
        ids = {row[0] for row in left if _is_old(row, before_us)}
        for row in swept:
            if len(ids) >= limit:
                break
            if _is_old(row, before_us):
                ids.add(row[0])
            self._sweep_from = max(self._sweep_from, row[0] + b"\0")  # the least greater id
        else:
            if len(swept) < limit:
                self._sweep_from = b""
        return sorted(ids)


def _is_old(row: Row, before_us: int) -> bool:
    return is_intact_command(row) and command_of(row).commit_time_us < before_us


def _delete(connection: JobConnection, ids: list[bytes]) -> int:
    """How many went: an id that a damaged page hides is not among them."""
    if not ids:
        return 0
    try:
        connection.execute("BEGIN IMMEDIATE")
        deleted = connection.executemany(
            "DELETE FROM commands WHERE command_id = ?", [(each,) for each in ids]
        ).rowcount
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    return deleted
