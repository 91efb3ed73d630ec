"""The read model's database: opened from a URL, used in transactions, told apart from its user."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InvalidRequestError,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from gesta.domain.errors import DefinitionError
from gesta.projection.errors import BadDatabase, DatabaseFailed

SQLITE_BUSY_MS = 10_000
"""How long a transaction waits for another one's end. The longest, a swap or a large batch, takes
about a second."""

SQLITE_CACHE_KIB = 65_536
"""At most, of each connection. A large transaction touches some thousand pages; with SQLite's own 2
MiB it writes them more than once, and reads them again for the next."""

SQLITE_CHECKPOINT_PAGES = 8_192
"""Of 4 KiB. Once in so many, what transactions have changed is copied from the write-ahead log to
the file, and both are synced; SQLite's own 1,000 are hardly one large transaction."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_DRIVERS["postgres"] = _DRIVERS["postgresql"]

_SQLITE_TROUBLE = frozenset(
    {"BUSY", "LOCKED", "NOMEM", "READONLY", "IOERR", "CORRUPT", "FULL", "CANTOPEN", "NOTADB"}
)
"""Of SQLITE_BUSY, SQLITE_IOERR_WRITE and so on."""
_POSTGRESQL_TROUBLE = ("08", "25006", "40", "53", "55", "57", "58")
"""Beginnings of SQLSTATEs: the connection, a read-only server, a conflict, resources, locks, an
operator's doing, the system."""

_ADVISORY_LOCK = 0x67657374
""""gest": of who prepares tables, for PostgreSQL's IF NOT EXISTS is no protection from another."""


def database_url(database: str) -> URL:
    """From a URL, or the path of an SQLite file. Without a driver in it, asyncio's is taken.

    Raises BadDatabase.
    """
    if "://" not in database:
        if not database:
            raise BadDatabase("no database is named")
        return URL.create("sqlite+aiosqlite", database=database)
    try:
        url = make_url(database)
    except ArgumentError as error:
        raise BadDatabase(str(error)) from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def open_engine(database: str) -> AsyncEngine:
    """An engine of our own; dispose of it. Nothing is connected yet. Raises BadDatabase."""
    url = database_url(database)
    shown = url.render_as_string(hide_password=True)
    try:
        engine = create_async_engine(url)
    except ModuleNotFoundError as error:
        extra = ": pip install 'gesta[postgresql]'" if error.name == "asyncpg" else ""
        raise BadDatabase(f"{shown}: {error.name} is not installed{extra}") from None
    except (NoSuchModuleError, InvalidRequestError, ArgumentError, ValueError) as error:
        raise BadDatabase(f"{shown}: {error}") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _set_up_sqlite)
    return engine


def is_missing(engine: AsyncEngine) -> bool:
    """Whether it is an SQLite file that is not there; connecting would make an empty one."""
    file = engine.url.database
    if engine.dialect.name != "sqlite" or not file or file == ":memory:":
        return False
    return not file.startswith("file:") and not Path(file).exists()


@asynccontextmanager
async def transaction(
    engine: AsyncEngine, name: str, *, writes: bool = True
) -> AsyncGenerator[AsyncConnection, None]:
    """One transaction, DDL included; committed at the end, rolled back on every error.

    Raises DatabaseFailed, for the projection of that name, where the database itself is in trouble.
    Its first statement should write, so that others wait, instead of meeting it in the middle.
    """
    async with AsyncExitStack() as stack:
        try:
            if is_missing(engine):
                # aiosqlite would leave a thread behind where it cannot, to report to a loop that
                # may be closed by then, with a traceback.
                await asyncio.to_thread(Path(engine.url.database or "").touch)
            connection = await stack.enter_async_context(engine.connect())
        except (DBAPIError, OSError, PoolTimeout) as error:
            raise DatabaseFailed(name, _one_line(error)) from error
        try:
            async with connection.begin():
                if writes and engine.dialect.name == "sqlite":
                    await _begin(connection)
                yield connection
        except (DBAPIError, PoolTimeout) as error:
            if is_trouble(error):
                raise DatabaseFailed(name, _one_line(error)) from error
            raise


@contextmanager
def kept_open(connection: AsyncConnection, where: str) -> Generator[None, None, None]:
    """Within it, a commit or a rollback of the author's raises DefinitionError for the class
    `where`, and all is rolled back: it would part the rows from their checkpoint. Text, such as
    "COMMIT", is not seen."""

    def refuse(sync: Connection) -> None:
        sync.connection.rollback()  # SQLAlchemy itself takes the transaction for ended now
        raise DefinitionError(
            where, "a handler neither commits nor rolls back; that is done with the checkpoint"
        )

    sync = connection.sync_connection
    for what in ("commit", "rollback"):
        event.listen(sync, what, refuse)
    try:
        yield
    finally:
        for what in ("commit", "rollback"):
            event.remove(sync, what, refuse)


async def lock_tables(connection: AsyncConnection) -> None:
    """Until the transaction ends, nobody else makes or renames tables of projections."""
    if connection.dialect.name == "postgresql":
        await connection.execute(
            text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK}
        )


def is_trouble(error: BaseException) -> bool:
    """Whether it is the database that failed, and not what was asked of it."""
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    if error.connection_invalidated:
        return True
    sqlite_name = getattr(error.orig, "sqlite_errorname", None)
    if sqlite_name is not None:
        return sqlite_name.split("_")[1] in _SQLITE_TROUBLE
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is not None:
        return str(sqlstate).startswith(_POSTGRESQL_TROUBLE)
    return isinstance(error, OperationalError)


async def _begin(connection: AsyncConnection) -> None:
    """Python's sqlite3 begins a transaction by itself, but only before an INSERT, UPDATE or DELETE:
    a CREATE, DROP or RENAME before those would stand alone, and outlive a rollback."""
    raw = (await connection.get_raw_connection()).driver_connection
    if not getattr(raw, "in_transaction", False):  # an engine of the caller's may begin by itself
        await connection.exec_driver_sql("BEGIN IMMEDIATE")


def _set_up_sqlite(connection: DBAPIConnection, record: object) -> None:
    cursor = connection.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {SQLITE_BUSY_MS}")
        cursor.execute("PRAGMA journal_mode = WAL")  # readers go on while we write
        # A power cut may take the last transactions, rows and checkpoint alike: they come again.
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute(f"PRAGMA cache_size = -{SQLITE_CACHE_KIB}")
        cursor.execute(f"PRAGMA wal_autocheckpoint = {SQLITE_CHECKPOINT_PAGES}")
    finally:
        cursor.close()


def _one_line(error: BaseException) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return f"{type(cause).__name__}: {cause}".splitlines()[0]
