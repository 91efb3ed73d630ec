"""Asking a read model: for those who do not write it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.projection.database import is_missing, transaction
from gesta.projection.errors import NotProjected
from gesta.projection.generations import existing
from gesta.projection.projection import Projection, definition_of


@asynccontextmanager
async def reading(
    engine: AsyncEngine, projection: type[Projection]
) -> AsyncGenerator[AsyncConnection, None]:
    """A connection to ask the projection's tables with, in a transaction of its own.

    Raises NotProjected where they are not there: nobody has run the projection on this database.
    """
    definition = definition_of(projection)
    if is_missing(engine):
        raise NotProjected(definition.name, f"there is no file {engine.url.database}")
    async with transaction(engine, definition.name, writes=False) as connection:
        names = definition.table_names
        there = await existing(connection, names)
        missing = [name for name in names if name not in there]
        if missing:
            raise NotProjected(definition.name, f"there is no table {', '.join(missing)}")
        yield connection
