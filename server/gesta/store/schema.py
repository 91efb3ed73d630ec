"""The tables of a log file, format 1, and how a new file comes to be.

docs/format.md explains every column. The database defends itself: whatever opens it, an event can
only be appended at the next position and version, and nothing of the record can be changed.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from gesta.store import rows

APPLICATION_ID = 0x67657374
"""The letters "gest", in the header of every log file."""

FORMAT = 1
"""The number of this schema, in the header as user_version."""

PAGE_BYTES = 4096
"""SQLite's default, and the usual page of file systems; fixed when the file is created."""

TABLES = (
    """CREATE TABLE log(
    id INTEGER PRIMARY KEY CHECK (id = 1),
    log_id BLOB NOT NULL,
    created_us INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE incarnations(
    number INTEGER PRIMARY KEY,
    fork_position INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE epochs(
    number INTEGER PRIMARY KEY,
    started_us INTEGER NOT NULL,
    head INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT""",
    """CREATE TABLE names(
    id INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (kind, name)
) STRICT""",
    """CREATE TABLE streams(
    id INTEGER PRIMARY KEY,
    type_id INTEGER NOT NULL,
    aggregate_id TEXT NOT NULL,
    slice INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    UNIQUE (type_id, aggregate_id)
) STRICT""",
    """CREATE TABLE events(
    position INTEGER PRIMARY KEY,
    stream_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    event_id BLOB NOT NULL,
    event_type_id INTEGER NOT NULL,
    schema_version INTEGER NOT NULL,
    data TEXT NOT NULL,
    command_id BLOB NOT NULL,
    more_in_command INTEGER NOT NULL,
    commit_time_us INTEGER NOT NULL,
    occurred_at_us INTEGER,
    correlation_id TEXT,
    causation_id TEXT,
    principal_id INTEGER NOT NULL,
    traceparent TEXT,
    metadata TEXT,
    checksum INTEGER NOT NULL,
    UNIQUE (stream_id, version)
) STRICT""",
    """CREATE TABLE commands(
    command_id BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    version INTEGER NOT NULL,
    position INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    commit_time_us INTEGER NOT NULL,
    reply TEXT NOT NULL,
    checksum INTEGER NOT NULL
) STRICT, WITHOUT ROWID""",
    # Only commands without events are in it: the newest time of all else is the last event's.
    "CREATE INDEX quiet_commands ON commands(commit_time_us) WHERE event_count = 0",
)

_FROZEN = ("log", "incarnations", "epochs", "names", "streams", "events")

# INSERT OR REPLACE deletes the row in its way without firing a DELETE trigger (unless
# recursive_triggers is on), so every insert must show that nothing is in its way.
_NEXT = {
    "log": "EXISTS (SELECT 1 FROM log)",
    "incarnations": "NEW.number IS NOT (SELECT ifnull(max(number), 0) + 1 FROM incarnations)",
    "epochs": "NEW.number IS NOT (SELECT ifnull(max(number), 0) + 1 FROM epochs)",
    "names": """NEW.id IS NOT (SELECT ifnull(max(id), 0) + 1 FROM names)
    OR EXISTS (SELECT 1 FROM names WHERE kind = NEW.kind AND name = NEW.name)""",
    "streams": """NEW.id IS NOT (SELECT ifnull(max(id), 0) + 1 FROM streams)
    OR EXISTS (SELECT 1 FROM streams
               WHERE type_id = NEW.type_id AND aggregate_id = NEW.aggregate_id)""",
    "events": """NEW.position IS NOT (SELECT ifnull(max(position), 0) + 1 FROM events)
    OR NEW.version IS NOT (SELECT ifnull(max(version), 0) + 1 FROM events
                           WHERE stream_id = NEW.stream_id)""",
}


def _triggers(table: str) -> list[str]:
    forbidden = [
        f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table}\n"
        f"BEGIN SELECT RAISE(ABORT, '{table} are append-only'); END"
        for verb in ("UPDATE", "DELETE")
    ]
    following = (
        f"CREATE TRIGGER {table}_next BEFORE INSERT ON {table}\nWHEN {_NEXT[table]}\n"
        f"BEGIN SELECT RAISE(ABORT, 'not the next of {table}'); END"
    )
    return [*forbidden, following]


STATEMENTS = (*TABLES, *(trigger for table in _FROZEN for trigger in _triggers(table)))
"""Everything that makes an empty log, in order."""


def create(path: Path, log_id: bytes, created_us: int) -> None:
    """Make an empty log at the path, complete or not at all.

    It is built under another name and renamed: a crash leaves that name, which is removed here.
    """
    draft = path.with_name(path.name + ".new")
    for left_over in (draft, draft.with_name(draft.name + "-journal")):
        left_over.unlink(missing_ok=True)
    draft.touch(mode=0o600)  # what SQLite puts beside it gets the same mode
    with closing(sqlite3.connect(draft, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {FORMAT}")
        for statement in STATEMENTS:
            connection.execute(statement)
        identity = (log_id, created_us)
        connection.execute(
            "INSERT INTO log VALUES (1, ?, ?, ?)", (*identity, rows.checksum(identity))
        )
        first = (1, 0)
        connection.execute(
            "INSERT INTO incarnations VALUES (?, ?, ?)", (*first, rows.checksum(first))
        )
        connection.execute("COMMIT")
    draft.replace(path)
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
