"""A transaction is one on every database, for tables as for rows, whoever made the engine."""

import contextlib
from typing import Any

import pytest
from sqlalchemy import event, inspect, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from gesta.projection import DatabaseFailed, open_engine
from gesta.projection.database import transaction


def plain(url: str) -> AsyncEngine:
    return create_async_engine(url)


def beginning_by_itself(url: str) -> AsyncEngine:
    """As SQLAlchemy's own page on SQLite advises for transactional DDL."""
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine.sync_engine, "connect")
        def connected(connection: Any, record: Any) -> None:
            connection.isolation_level = None

        @event.listens_for(engine.sync_engine, "begin")
        def begun(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN")

    return engine


class PowerCutError(Exception):
    pass


async def break_off(engine: AsyncEngine, *statements: str) -> None:
    with contextlib.suppress(PowerCutError):
        async with transaction(engine, "x") as connection:
            for statement in statements:
                await connection.execute(text(statement))
            raise PowerCutError


@pytest.mark.parametrize("engine_of", [open_engine, plain, beginning_by_itself])
async def test_tables_are_made_renamed_and_dropped_with_the_rows_or_not_at_all(
    database: str, engine_of: Any
) -> None:
    engine = engine_of(database)

    async def tables() -> list[str]:
        async with engine.connect() as connection:
            return sorted(await connection.run_sync(lambda c: inspect(c).get_table_names()))

    await break_off(engine, "CREATE TABLE a (x INTEGER)", "CREATE TABLE b (x INTEGER)")
    assert await tables() == []
    async with transaction(engine, "x") as connection:
        await connection.execute(text("CREATE TABLE a (x INTEGER)"))
        await connection.execute(text("INSERT INTO a VALUES (1)"))
    await break_off(
        engine, "ALTER TABLE a RENAME TO b", "CREATE TABLE c (x INTEGER)", "DROP TABLE b"
    )
    assert await tables() == ["a"]
    async with transaction(engine, "x", writes=False) as connection:
        assert await connection.scalar(text("SELECT x FROM a")) == 1
    await engine.dispose()


async def test_an_sqlite_file_that_somebody_else_keeps_locked_is_not_waited_for_for_ever(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesta.projection.database.SQLITE_BUSY_MS", 1)
    engine = open_engine(str(tmp_path / "locked.db"))
    async with transaction(engine, "first"):
        with pytest.raises(DatabaseFailed, match="database is locked") as caught:
            async with transaction(engine, "second"):
                pass
    assert caught.value.name == "second"
    await engine.dispose()
