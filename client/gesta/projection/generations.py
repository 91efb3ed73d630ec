"""A projection's tables: those that are read, and those of a rebuild, until they are swapped."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy
from sqlalchemy import (
    Connection,
    Constraint,
    Index,
    MetaData,
    Select,
    Table,
    event,
    inspect,
    literal,
    select,
    text,
)
from sqlalchemy.engine import Inspector
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.visitors import iterate

from gesta.domain.errors import DefinitionError
from gesta.projection.definition import Definition
from gesta.projection.projection import Projection


def rebuilt_class(definition: Definition, generation: int) -> type[Projection]:
    """The same projection over other tables. With the generation in the name of every index and
    constraint, none collides with one that a swapped table has kept."""
    suffix = _suffix(generation)
    copies: dict[str, Any] = {}
    for attribute, table in definition.tables.items():
        copy = table.to_metadata(MetaData(), name=table.name + suffix)
        named: list[Index | Constraint] = [*copy.indexes, *copy.constraints]
        for each in named:
            if each.name:
                each.name = f"{each.name!s}{suffix}"
        copies[attribute] = copy
    projection = definition.projection
    return type(projection.__name__, (projection,), copies)


def tables_of(definition: Definition, projection: type[Projection]) -> list[Table]:
    """Of the class itself, or of one made by `rebuilt_class`."""
    return [getattr(projection, attribute) for attribute in definition.tables]


def rebuilt_names(names: Iterable[str], generation: int) -> list[str]:
    return [name + _suffix(generation) for name in names]


async def newest_named(connection: AsyncConnection, names: Sequence[str]) -> int:
    """The newest generation in the name of one of the tables, or of an index of theirs; 0: none.

    Where a row of ours was lost with its generation, a rebuild must not name what it makes like
    that which an earlier one has left.
    """
    return await connection.run_sync(lambda sync: _newest_named(inspect(sync), names))


async def existing(connection: AsyncConnection, names: Iterable[str]) -> list[str]:
    """Those of the tables that are in the database."""
    there = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    return [name for name in names if name in there]


async def with_rows(connection: AsyncConnection, names: Iterable[str]) -> list[str]:
    """Those of the tables that have rows; all must exist."""
    return [name for name in names if (await connection.execute(_first_of(name))).first()]


async def create(connection: AsyncConnection, tables: Sequence[Table]) -> None:
    """Where they are not there yet."""
    for table in tables:
        await connection.run_sync(table.create, checkfirst=True)


async def drop(connection: AsyncConnection, names: Iterable[str]) -> None:
    """Tables only: types that others may share stay."""
    quote = connection.dialect.identifier_preparer.quote
    for name in names:
        await connection.execute(text(f"DROP TABLE IF EXISTS {quote(name)}"))


async def rename(
    connection: AsyncConnection, tables: Sequence[Table], names: Sequence[str]
) -> None:
    quote = connection.dialect.identifier_preparer.quote
    for table, name in zip(tables, names, strict=True):
        await connection.execute(text(f"ALTER TABLE {quote(table.name)} RENAME TO {quote(name)}"))


def guard(connection: AsyncConnection, definition: Definition) -> None:
    """During a rebuild: a statement on the tables that are being read raises DefinitionError,
    instead of filling them twice. Text cannot be looked into."""
    served = set(definition.tables.values())

    def check(sync: Connection, statement: Any, *rest: Any) -> None:
        for element in iterate(statement) if hasattr(statement, "get_children") else ():
            if element in served:
                attribute = next(a for a, t in definition.tables.items() if t is element)
                where = definition.projection.__qualname__
                raise DefinitionError(
                    where, f"a handler says {where}.{attribute}; it must say self.{attribute}"
                )

    event.listen(connection.sync_connection, "before_execute", check)


def _newest_named(database: Inspector, names: Sequence[str]) -> int:
    ours = "|".join(map(re.escape, names))
    rebuilt = re.compile(rf"(?:{ours})({_SUFFIX})?")
    tables = [each for each in database.get_table_names() if rebuilt.fullmatch(each)]
    found = list(tables)
    for table in tables:
        indexes = [*database.get_indexes(table), *database.get_unique_constraints(table)]
        found += [each["name"] or "" for each in indexes]
    ends = [re.search(rf"{_SUFFIX}$", each) for each in found]
    return max((int(end[1]) for end in ends if end), default=0)


def _first_of(name: str) -> Select[Any]:
    return select(literal(1)).select_from(sqlalchemy.table(name)).limit(1)


_SUFFIX = r"__g(\d{1,9})"


def _suffix(generation: int) -> str:
    return f"__g{generation}"
