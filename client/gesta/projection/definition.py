"""What a projection's class says of itself: tables, handlers, filter, fingerprint."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Table

from gesta.client import Match
from gesta.domain.errors import DefinitionError
from gesta.projection.handlers import Handler, handlers_of

NAME_CHARS_MAX = 100
TABLE_NAME_CHARS_MAX = 50
"""PostgreSQL cuts names at 63, and a rebuild appends a suffix to those of tables."""

_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_.-]{{0,{NAME_CHARS_MAX - 1}}}")
_OURS = "gesta_projection"


@dataclass(frozen=True, slots=True)
class Definition:
    """Of one projection class."""

    projection: type
    name: str
    version: int
    tables: Mapping[str, Table]
    """By attribute."""
    handlers: Mapping[str, Handler]
    """By event type."""
    fingerprint: str
    """Another one: other tables or events, so rows of before cannot be gone on with."""

    @property
    def match(self) -> Match:
        """The events that have a handler."""
        return Match(event_types=sorted(self.handlers))

    @property
    def table_names(self) -> list[str]:
        return [table.name for table in self.tables.values()]


def define(projection: type) -> Definition:
    """Raises DefinitionError."""
    where = projection.__qualname__
    name, version = vars(projection)["name"], getattr(projection, "version", 1)
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DefinitionError(
            where,
            f"the name {name!r} must be 1 to {NAME_CHARS_MAX} letters, digits, "
            "'_', '.' or '-', a letter first",
        )
    if not isinstance(version, int) or version < 1:
        raise DefinitionError(where, f"version {version!r} must be 1 or more")
    tables = _tables(projection)
    handlers = handlers_of(projection)
    return Definition(projection, name, version, tables, handlers, _fingerprint(tables, handlers))


def _tables(projection: type) -> dict[str, Table]:
    where = projection.__qualname__
    found = {
        attribute: value
        for each in reversed(projection.__mro__)
        for attribute, value in vars(each).items()
        if isinstance(value, Table)
    }
    if not found:
        raise DefinitionError(where, "it has no table; make them attributes of the class")
    for attribute, table in found.items():
        _check(table, f"{where}.{attribute}")
        strangers = sorted(set(table.metadata.tables.values()) - set(found.values()), key=str)
        if strangers:
            raise DefinitionError(
                f"{where}.{attribute}",
                f"its MetaData has the table {strangers[0].name!r}, which is no attribute here; "
                "a projection has a MetaData of its own, and all its tables as attributes",
            )
    return found


def _check(table: Table, where: str) -> None:
    if len(table.name) > TABLE_NAME_CHARS_MAX or table.name.startswith(_OURS):
        raise DefinitionError(
            where,
            f"a table's name is {TABLE_NAME_CHARS_MAX} characters at most, and does not begin "
            f"with {_OURS!r}",
        )
    if table.foreign_keys or table.schema is not None:
        # A copy under another name would point at the old table, or be renamed out of its schema.
        raise DefinitionError(where, "a projection's table has no foreign key and no schema")


def _fingerprint(tables: Mapping[str, Table], handlers: Mapping[str, Handler]) -> str:
    lines = [handlers[each].schema for each in sorted(handlers)]
    for table in sorted(tables.values(), key=lambda each: each.name):
        lines.append(f"table {table.name}")
        lines += [
            f"{column.name} {column.type.compile()} {column.primary_key} {column.nullable}"
            for column in table.columns
        ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
