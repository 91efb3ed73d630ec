"""Insert, or update what is there: in the words of each database."""

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def upsert(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An insert that has `excluded` and `on_conflict_do_update`, for SQLite and PostgreSQL.

    Raises NotImplementedError for other databases, whose own words you will know.
    """
    dialect = connection.dialect.name
    if dialect == "sqlite":
        return sqlite.insert(table)
    if dialect == "postgresql":
        return postgresql.insert(table)
    raise NotImplementedError(f"gesta knows no upsert for {dialect}")
