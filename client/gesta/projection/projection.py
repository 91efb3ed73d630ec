"""What an author writes: a class with its tables, and a handler for each event it follows."""

from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncConnection

from gesta.projection.definition import Definition, define


class Projection:
    """Base of every projection. Each one is an answer to a question, kept up to date.

    A subclass has a `name` for its checkpoint, its tables as class attributes, of a MetaData of its
    own, and `@on` methods. It is checked when it is defined: DefinitionError says what is wrong.

    In a handler say `self.accounts`, never `Accounts.accounts`: while the projection is rebuilt,
    that is another table. An instance lives for one transaction. What handlers gather in it,
    `flush` must write; keep nothing elsewhere, for a transaction may be rolled back and tried
    again. What is done to anything but the connection happens once or more, not exactly once.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Of the code. Raise it when what the same events make of the tables has changed: then the
    projection must be rebuilt before it goes on. Changed tables and events are noticed anyhow."""
    __gesta_projection__: ClassVar[Definition]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "name" in vars(cls):  # else a base for others
            cls.__gesta_projection__ = define(cls)

    async def flush(self, connection: AsyncConnection) -> None:
        """Called before each commit, to write what the handlers have gathered: one statement with
        many rows costs a fraction of one for each event. The events are whole commands, one or
        thousands, and the tables must come out the same however they are divided."""


def definition_of(projection: type[Projection]) -> Definition:
    """Raises TypeError for what is no projection, or a base without a name."""
    found = vars(projection).get("__gesta_projection__") if isinstance(projection, type) else None
    if not isinstance(found, Definition):
        raise TypeError(f"{projection!r} is not a projection with a name")
    return found
