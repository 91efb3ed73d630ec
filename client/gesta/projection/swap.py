"""The end of a rebuild: its tables take the place of those that were read."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.projection import checkpoints, generations
from gesta.projection.checkpoints import Checkpoint, ProjectionState, Row
from gesta.projection.claims import Claim
from gesta.projection.database import lock_tables, transaction
from gesta.projection.errors import Superseded


async def swap(engine: AsyncEngine, claim: Claim, undone: str | None) -> Checkpoint | Row:
    """In one transaction. A Row: that of the old tables, which have come further meanwhile, and
    readers must not be thrown back; catch up, and ask again.

    An old checkpoint with the token `undone` is not of this log, and is not waited for. A session
    that keeps the old tables up to date learns of it at its next commit, and goes on with the new.
    """
    async with transaction(engine, claim.name) as connection:
        await lock_tables(connection)
        touched = {"state": ProjectionState.STOPPED}
        if not await checkpoints.update_own_row(
            connection, claim.name, claim.session, claim.generation, touched
        ):
            raise Superseded(claim.name)
        rebuilt = await checkpoints.read_row(connection, claim.name)
        served = await checkpoints.read_row(connection, claim.definition.name, for_update=True)
        assert rebuilt is not None, "it was updated just now"
        if served is not None and rebuilt.position < served.position and served.token != undone:
            return served
        await _put_in_place(connection, claim, served)
        row = _row(claim, rebuilt, served)
        await checkpoints.write_row(connection, row)
        await checkpoints.remove_row(connection, claim.name)
    assert row.token is not None, "it has caught up"
    return Checkpoint(row.name, row.token, row.position, row.state)


async def _put_in_place(connection: AsyncConnection, claim: Claim, served: Row | None) -> None:
    names = claim.definition.table_names
    gone = [*names, *(served.tables if served else ())]
    await generations.drop(connection, list(dict.fromkeys(gone)))
    tables = generations.tables_of(claim.definition, claim.projection)
    await generations.rename(connection, tables, names)


def _row(claim: Claim, rebuilt: Row, served: Row | None) -> Row:
    """That of the rebuild, but with the session and the state of whoever is running."""
    if served is None:
        return replace(rebuilt, name=claim.definition.name)
    failed = served.state is ProjectionState.FAILED
    state = ProjectionState.STOPPED if failed else served.state
    return replace(rebuilt, name=served.name, session=served.session, state=state)
