"""Writing connections that fail on purpose, where and how a test says."""

import sqlite3
from typing import Any, ClassVar

from gesta.store.connection import JobConnection


def sqlite_error(code: int, message: str) -> sqlite3.OperationalError:
    """An error as SQLite reports it."""
    error = sqlite3.OperationalError(message)
    error.sqlite_errorcode = code
    return error


class FailingConnection(JobConnection):
    """Raises `error` instead of, or after, the statement that starts with `statement`.

    Its settings are of the class, because the store makes the connection: use a subclass per test.
    """

    error: ClassVar[sqlite3.Error | None] = None
    statement: ClassVar[str] = "COMMIT"
    really_done: ClassVar[bool] = False

    def execute(self, sql: Any, parameters: Any = (), /) -> Any:
        cls = type(self)
        if cls.error is None or not isinstance(sql, str) or not sql.startswith(cls.statement):
            return super().execute(sql, parameters)
        if cls.really_done:
            super().execute(sql, parameters)
        raise cls.error


def failing() -> type[FailingConnection]:
    """A class of its own, which works until its `error` is set."""

    class Failing(FailingConnection):
        pass

    return Failing
