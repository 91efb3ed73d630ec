"""Where the log lives: the EventStore port and its implementations. It knows no aggregate.

port        the contract every store keeps, and the records that cross it
memory      the reference implementation; closing it loses the log
sqlite      the durable one: a log in one file; open, close, fail
writer      the one connection that writes
readers     the connections that only read
connection  a whole job in one hop through aiosqlite
lock        one server per log
header      what a file is, judged before anything touches it
schema      the tables, and how a new file comes to be
seal        start-up: after it, what is readable is on the disk
wal         SQLite's write-ahead log, read from outside
writing     one batch, one transaction
inserting   many rows of a table in one statement
reading     pages of events, streams, places in time
columns     many events of the log at once, column by column
answers     the remembered answers to commands: find, list, forget
newest_ids  the ids of very many answers, for a start: column by column, by all readers at once
rows        rows and records, and the checksum between them
names       integers for texts that come back in every row
streams     which aggregate a stream's number stands for
finder      streams looked for at the same time, in one hop to a reader
search      the reader's side of it: together where that is possible, one by one where it is not
packed      streams and their few events, each table's in one row
offline     a log that no server has open, read and never written
copying     a log copied beside its server, and a copy put in the place of a lost log
verify      the whole log, read offline: all that is wrong with it
snapshots   the contract of what keeps snapshots, which may be lost at any time
snapshots_memory, snapshots_sqlite  the two that keep it; snapshots_offline reads beside no server
event_index  the contract of what knows where a type or a correlation is, which may be lost too
event_index_memory, event_index_sqlite  the two that keep it; event_index_file has the tables
derived_file  a file that can be made from the log again, and is when anything is wrong with it

docs/format.md fixes what is in the file. The errors:

    StoreError
    ├── StorageFull     nothing was written; carry on
    ├── StorageFailed   nobody knows what was written; open anew
    ├── CorruptLog      stored bytes are not what was written     (detail, position)
    ├── LogLocked       another server has it                     (path, holder)
    └── NotALog         not ours, truncated, or newer; untouched
"""

from gesta.store.event_index import EventIndex, Found, index_up_to
from gesta.store.event_index_memory import MemoryEventIndex
from gesta.store.event_index_sqlite import SqliteEventIndex
from gesta.store.memory import MemoryStore
from gesta.store.port import (
    Batch,
    CommandRecord,
    CorruptLog,
    EventRecord,
    EventStore,
    Incarnation,
    LogInfo,
    LogLocked,
    NotALog,
    StorageFailed,
    StorageFull,
    StoreError,
    Stream,
    StreamHead,
    checksum,
)
from gesta.store.snapshots import Snapshot, SnapshotCount, SnapshotStore
from gesta.store.snapshots_memory import MemorySnapshots
from gesta.store.snapshots_sqlite import SqliteSnapshots
from gesta.store.sqlite import SqliteStore
from gesta.store.verify import Finding, verify

__all__ = [
    "EventStore",
    "MemoryStore",
    "SqliteStore",
    "SnapshotStore",
    "MemorySnapshots",
    "SqliteSnapshots",
    "Snapshot",
    "SnapshotCount",
    "EventIndex",
    "MemoryEventIndex",
    "SqliteEventIndex",
    "Found",
    "index_up_to",
    "Batch",
    "EventRecord",
    "CommandRecord",
    "Stream",
    "StreamHead",
    "LogInfo",
    "Incarnation",
    "checksum",
    "verify",
    "Finding",
    "StoreError",
    "StorageFull",
    "StorageFailed",
    "CorruptLog",
    "LogLocked",
    "NotALog",
]
