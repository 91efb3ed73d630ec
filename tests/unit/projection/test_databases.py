"""Databases as they are named, and whose fault an error of theirs is."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import create_async_engine

from gesta.projection import BadDatabase, TransactionLimits, open_engine
from gesta.projection.database import database_url, is_missing, is_trouble


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("bank.db", "sqlite+aiosqlite:///bank.db"),
        ("/data/bank.db", "sqlite+aiosqlite:////data/bank.db"),
        ("sqlite:///bank.db", "sqlite+aiosqlite:///bank.db"),
        ("sqlite+aiosqlite:///bank.db", "sqlite+aiosqlite:///bank.db"),
        ("postgresql://me@host/bank", "postgresql+asyncpg://me@host/bank"),
        ("postgres://me@host/bank", "postgresql+asyncpg://me@host/bank"),
        ("postgresql+psycopg://me@host/bank", "postgresql+psycopg://me@host/bank"),
    ],
)
def test_a_url_without_a_driver_gets_asyncio_s_and_a_path_is_sqlite_s(given: str, url: str) -> None:
    assert database_url(given).render_as_string() == url


def test_a_path_may_have_any_characters() -> None:
    assert database_url("odd name#?%20.db").database == "odd name#?%20.db"


@pytest.mark.parametrize(
    ("database", "told"),
    [
        ("", "no database is named"),
        ("://", "Could not parse"),
        ("nosuch://x", "nosuch://x: Can't load plugin"),
        ("sqlite+pysqlite:///x", "not async"),
        ("mysql+aiomysql://me:secret@host/x", r"me:\*\*\*@host/x: aiomysql is not installed"),
    ],
)
def test_what_names_no_database_is_told_without_its_password(database: str, told: str) -> None:
    with pytest.raises(BadDatabase, match=told):
        open_engine(database)


def test_only_a_file_that_is_not_there_is_missing(tmp_path: Path) -> None:
    there = tmp_path / "there.db"
    there.touch()
    for url, missing in (
        (f"sqlite+aiosqlite:///{there}", False),
        (f"sqlite+aiosqlite:///{tmp_path / 'gone.db'}", True),
        ("sqlite+aiosqlite://", False),
        ("sqlite+aiosqlite:///:memory:", False),
        ("sqlite+aiosqlite:///file:gone.db?uri=true", False),
        ("postgresql+asyncpg://host/gone", False),
    ):
        assert is_missing(create_async_engine(url)) is missing, url


def sqlite_error(path: str, statement: str) -> DBAPIError:
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(statement)
    except sqlite3.Error as error:
        return OperationalError(statement, None, error)
    raise AssertionError(statement)


class Stated(Exception):
    """An error of PostgreSQL's, as its driver raises it."""

    def __init__(self, sqlstate: str | None) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "trouble"),
    [
        ("08006", True),  # connection failure
        ("40001", True),  # serialisation failure
        ("40P01", True),  # deadlock
        ("53100", True),  # disk full
        ("57P01", True),  # an administrator's shutdown
        ("25006", True),  # a read-only server
        ("23505", False),  # unique violation
        ("42P01", False),  # no such table
        ("22003", False),  # out of range
    ],
)
def test_a_sqlstate_tells_the_database_s_fault_from_the_code_s(
    sqlstate: str, trouble: bool
) -> None:
    assert is_trouble(ProgrammingError("SELECT", None, Stated(sqlstate))) is trouble


def test_a_code_of_sqlite_tells_the_database_s_fault_from_the_code_s(tmp_path: Path) -> None:
    rubbish = tmp_path / "rubbish.db"
    rubbish.write_bytes(b"rubbish" * 1_000)
    assert is_trouble(sqlite_error(str(tmp_path / "no" / "where.db"), "SELECT 1"))
    assert is_trouble(sqlite_error(str(rubbish), "CREATE TABLE t (x)"))
    assert not is_trouble(sqlite_error(":memory:", "SELECT 1 FROM nowhere"))
    assert not is_trouble(sqlite_error(":memory:", "SELEKT"))


def test_other_databases_are_believed_in_the_kind_of_their_errors() -> None:
    assert is_trouble(OperationalError("SELECT", None, Exception("gone")))
    assert not is_trouble(ProgrammingError("SELECT", None, Exception("what?")))
    assert is_trouble(PoolTimeout("no connection is free"))
    assert not is_trouble(ValueError("of the author's"))
    lost = ProgrammingError("SELECT", None, Exception("closed"), connection_invalidated=True)
    assert is_trouble(lost)


@pytest.mark.parametrize("name", ["events_max", "duration_ms_max"])
def test_a_limit_is_one_or_more(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be 1 or more, not 0"):
        TransactionLimits(**{name: 0})
