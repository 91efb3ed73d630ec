"""The remembered answers to commands: find, list, forget."""

from contextlib import closing

from gesta.store.connection import JobConnection
from gesta.store.port import CommandRecord
from gesta.store.reading import Reader
from gesta.store.rows import COMMAND_COLUMNS, Row, check_command, command_of
from gesta.store.writing import roll_back

_FIND = f"SELECT {COMMAND_COLUMNS} FROM commands WHERE command_id = ?"  # noqa: S608
_FROM = (
    f"SELECT {COMMAND_COLUMNS} FROM commands "  # noqa: S608
    "WHERE command_id >= ? AND command_id < ? ORDER BY command_id LIMIT ?"
)
_DOWN_FROM = (
    f"SELECT {COMMAND_COLUMNS} FROM commands "  # noqa: S608
    "WHERE command_id >= ? AND command_id < ? ORDER BY command_id DESC LIMIT ?"
)
_CHUNK_ROWS = 256

_END = b"\xff" * 17
"""Greater than every id."""


def find(reader: Reader, command_id: bytes) -> CommandRecord | None:
    row: Row | None = reader.connection.execute(_FIND, (command_id,)).fetchone()
    return None if row is None else command_of(row)


def ids_between(reader: Reader, low: bytes, high: bytes, limit: int) -> list[bytes]:
    """Reads whole answers, because a damaged id shows only in their checksums."""
    ids: list[bytes] = []
    with closing(reader.connection.execute(_DOWN_FROM, (low, high, max(limit, 0)))) as rows:
        while chunk := rows.fetchmany(_CHUNK_ROWS):
            for row in chunk:
                check_command(row)
            ids += [row[0] for row in chunk]
    return ids


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
        made_before = max(0, before_us // 1_000).to_bytes(6, "big")
        left = connection.execute(_FROM, (b"", made_before, limit)).fetchall()
        swept = connection.execute(_FROM, (self._sweep_from, _END, limit)).fetchall()
        ids = {each.command_id for each in map(command_of, left) if each.commit_time_us < before_us}
        for each in map(command_of, swept):
            if len(ids) >= limit:
                break
            if each.commit_time_us < before_us:
                ids.add(each.command_id)
            self._sweep_from = each.command_id + b"\0"  # the least greater id
        else:
            if len(swept) < limit:
                self._sweep_from = b""
        if ids:
            _delete(connection, sorted(ids))
        return len(ids)


def _delete(connection: JobConnection, ids: list[bytes]) -> None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            "DELETE FROM commands WHERE command_id = ?", [(each,) for each in ids]
        )
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
