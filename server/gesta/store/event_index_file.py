"""The tables of an index of events, what is read from them at once, and how they grow.

docs/format.md describes them; they are not frozen.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gesta.store.connection import JobConnection
from gesta.store.derived_file import Unfit
from gesta.store.event_index import key_of
from gesta.store.inserting import Insert
from gesta.store.port import EventRecord, checksum
from gesta.store.writing import roll_back

FORMAT = 1
APPLICATION_ID = 0x67657369
"""The letters "gesi"."""

_TABLES = (
    """CREATE TABLE progress(
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    indexed_up_to INTEGER NOT NULL,
    event_checksum INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE types(
    id INTEGER PRIMARY KEY,
    event_type TEXT NOT NULL UNIQUE,
    events INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE of_type(
    type_id INTEGER NOT NULL,
    position INTEGER NOT NULL,
    number INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (type_id, position)
) STRICT, WITHOUT ROWID""",
    """CREATE TABLE of_correlation(
    key BLOB NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (key, position)
) STRICT, WITHOUT ROWID""",
)
_PROGRESS = "INSERT OR REPLACE INTO progress VALUES (1, ?, ?, ?, ?, ?)"
_TYPE = "INSERT OR REPLACE INTO types VALUES (?, ?, ?, ?)"
_INSERT_OF_TYPE = Insert("of_type", 4)
_INSERT_OF_CORRELATION = Insert("of_correlation", 2)

_CACHE_KIB = 16 << 10


@dataclass(frozen=True, slots=True)
class State:
    """What is committed. A new one after every `add`."""

    log: tuple[bytes, int]
    """Id and incarnation."""
    indexed_up_to: int = 0
    event_checksum: int = 0
    """Of the event at that position; 0 without any."""
    types: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Number of a type, and how many events of it there are."""


def begin(log: tuple[bytes, int], connection: JobConnection) -> State:
    """The state of a file of this log, in order; Unfit for one that is to be begun anew."""
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    if pages and (application_id, version) != (APPLICATION_ID, FORMAT):
        raise Unfit(f"it has format {version}, or is no index")
    for pragma in (
        "journal_mode = WAL",
        "synchronous = NORMAL",  # later commits never reach the disk before earlier ones
        f"cache_size = -{_CACHE_KIB}",
        "mmap_size = 0",
        "temp_store = MEMORY",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    return _state_of(log, connection) if pages else _create(log, connection)


def _create(log: tuple[bytes, int], connection: JobConnection) -> State:
    state = State(log)
    connection.execute("BEGIN")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    for table in _TABLES:
        connection.execute(table)
    _note(connection, state)
    connection.execute("COMMIT")
    return state


def _state_of(log: tuple[bytes, int], connection: JobConnection) -> State:
    present = {sql for (sql,) in connection.execute("SELECT sql FROM sqlite_schema")}
    if not present.issuperset(table.encode() for table in _TABLES):
        raise Unfit("it lacks a table")
    rows = connection.execute(
        "SELECT log_id, incarnation, indexed_up_to, event_checksum, checksum FROM progress"
    ).fetchall()
    if len(rows) != 1 or checksum(rows[0][:-1]) != rows[0][-1]:
        raise Unfit("its progress is damaged")
    *of_log, indexed_up_to, event_checksum, _ = rows[0]
    if tuple(of_log) != log:
        raise Unfit("it is of another log, or from before a restore")
    types: dict[str, tuple[int, int]] = {}
    for number, name, events, stored in connection.execute("SELECT * FROM types"):
        if checksum((number, name, events)) != stored:
            raise Unfit(f"type {number} is damaged")
        types[name.decode()] = (number, events)
    if sum(events for _, events in types.values()) != indexed_up_to:
        raise Unfit("it lacks a type")
    return State(log, indexed_up_to, event_checksum, types)


def add(connection: JobConnection, state: State, events: Sequence[EventRecord]) -> State:
    types = dict(state.types)
    of_type: list[Any] = []
    of_correlation: list[Any] = []
    for event in events:
        number, count = types.get(event.event_type) or (len(types) + 1, 0)
        types[event.event_type] = (number, count + 1)
        of_type += (number, event.position, count + 1)
        of_type.append(row_checksum(number, event.position, count + 1))
        of_correlation += (key_of(event), event.position)
    last = events[-1]
    added = State(state.log, last.position, checksum(last), types)
    try:
        connection.execute("BEGIN IMMEDIATE")
        _INSERT_OF_TYPE.run(connection, of_type)
        _INSERT_OF_CORRELATION.run(connection, of_correlation)
        for name in {event.event_type for event in events}:
            row = (types[name][0], name.encode(), types[name][1])
            connection.execute(_TYPE, (row[0], name, row[2], checksum(row)))
        _note(connection, added)
        connection.execute("COMMIT")
    except BaseException:
        roll_back(connection)
        raise
    return added


def row_checksum(type_id: int, position: int, number: int) -> int:
    """Of a row of `of_type`; two bytes, because there are as many rows as events."""
    return checksum((type_id, position, number)) & 0xFFFF


def _note(connection: JobConnection, state: State) -> None:
    row = (*state.log, state.indexed_up_to, state.event_checksum)
    connection.execute(_PROGRESS, (*row, checksum(row)))
