"""Who may write a projection's tables: the newest session, over tables whose checkpoint it has."""

from dataclasses import dataclass, replace
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.projection import checkpoints, generations
from gesta.projection.checkpoints import Checkpoint, ProjectionState, Row
from gesta.projection.database import lock_tables, transaction
from gesta.projection.definition import Definition
from gesta.projection.errors import CheckpointLost, CodeChanged, Superseded, TablesLost
from gesta.projection.projection import Projection

REBUILD = "@rebuild"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to write some tables, until a newer session takes it."""

    definition: Definition
    name: str
    session: str
    generation: int
    projection: type[Projection]
    """To make an instance of for each transaction."""
    token: str | None
    position: int
    """Where to go on."""
    skips: frozenset[bytes]
    """Ids of events."""

    @property
    def is_rebuild(self) -> bool:
        return self.name.endswith(REBUILD)

    def moved(self, checkpoint: Checkpoint) -> "Claim":
        """The same, to go on after what was committed since."""
        return replace(self, token=checkpoint.token, position=checkpoint.position)


async def claim(
    engine: AsyncEngine, definition: Definition, session: str, *, again: bool = False
) -> Claim:
    """Takes over the tables that are read; the first one makes them. With `again`, the session has
    had them before, and does not take them from a newer one.

    Raises CodeChanged, CheckpointLost, TablesLost or Superseded, and then has changed nothing.
    """
    name = definition.name
    async with transaction(engine, name) as connection:
        await lock_tables(connection)
        await checkpoints.create_tables(connection)
        row = await checkpoints.read_row(connection, name, for_update=True)
        if again and row is not None and row.session != session:
            raise Superseded(name)
        await checkpoints.claim_row(connection, name, session)
        if row is None:
            row = await _begin(connection, definition, session)
        else:
            await _check(connection, definition, row)
        skips = await checkpoints.skipped_events(connection, name, definition.version)
    projection: type[Projection] = definition.projection
    return Claim(
        definition, name, session, row.generation, projection, row.token, row.position, skips
    )


async def claim_rebuild(engine: AsyncEngine, definition: Definition) -> Claim:
    """Makes new tables beside those that are read. What an earlier rebuild left is dropped: it may
    have been filled by other code."""
    name, base_name = definition.name + REBUILD, definition.name
    session = uuid4().hex
    async with transaction(engine, name) as connection:
        await lock_tables(connection)
        await checkpoints.create_tables(connection)
        await checkpoints.claim_row(connection, name, session)
        left, served = [await checkpoints.read_row(connection, n) for n in (name, base_name)]
        if left is not None:
            await generations.drop(
                connection, generations.rebuilt_names(left.tables, left.generation)
            )
        named = await generations.newest_named(connection, definition.table_names)
        generation = 1 + max(named, *(row.generation if row else 0 for row in (left, served)))
        projection = generations.rebuilt_class(definition, generation)
        await generations.create(connection, generations.tables_of(definition, projection))
        row = _new_row(definition, name, session, generation)
        await checkpoints.write_row(connection, row)
        skips = await checkpoints.skipped_events(connection, base_name, definition.version)
    return Claim(definition, name, session, generation, projection, None, 0, skips)


async def _begin(connection: AsyncConnection, definition: Definition, session: str) -> Row:
    there = await generations.existing(connection, definition.table_names)
    filled = await generations.with_rows(connection, there)
    if filled:
        raise CheckpointLost(definition.name, filled)
    await generations.create(connection, list(definition.tables.values()))
    row = _new_row(definition, definition.name, session, generation=1)
    await checkpoints.write_row(connection, row)
    return row


async def _check(connection: AsyncConnection, definition: Definition, row: Row) -> None:
    name = definition.name
    if (row.version, row.fingerprint) != (definition.version, definition.fingerprint):
        raise CodeChanged(name, row.version, definition.version)
    there = await generations.existing(connection, definition.table_names)
    lost = [each for each in definition.table_names if each not in there]
    if lost:
        raise TablesLost(name, lost)
    if row.token is None:  # it has committed nothing yet, or somebody has taken the token away
        filled = await generations.with_rows(connection, there)
        if filled:
            raise CheckpointLost(name, filled)


def _new_row(definition: Definition, name: str, session: str, generation: int) -> Row:
    return Row(
        name,
        definition.version,
        definition.fingerprint,
        generation,
        tuple(definition.table_names),
        session,
        ProjectionState.CATCHING_UP,
        token=None,
        position=0,
    )
