"""Where a projection stands, as its database and the server know it."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.ext.asyncio import AsyncEngine

from gesta.client import Client, Event
from gesta.projection.checkpoints import PROJECTIONS, ProjectionState, Row, read_row
from gesta.projection.claims import REBUILD
from gesta.projection.database import is_missing, transaction
from gesta.projection.definition import Definition
from gesta.projection.generations import existing
from gesta.projection.log import translated


@dataclass(frozen=True, slots=True)
class Failure:
    """What stopped it."""

    position: int
    event: str
    error: str


@dataclass(frozen=True, slots=True)
class Status:
    """Of one projection, or of its rebuild."""

    name: str
    position: int
    """The last one that is known to be covered."""
    head: int
    """The last one in the log."""
    lag_events: int
    """From the first event that it is to handle and has not, to the head; 0: nothing is missing."""
    lag_seconds: float
    """How long ago that first event was committed, by the two machines' clocks."""
    state: ProjectionState
    failure: Failure | None = None


async def status_of(client: Client, engine: AsyncEngine, definition: Definition) -> list[Status]:
    """Of the projection, and then of its rebuild, if there is one. Changes nothing.

    Raises CheckpointUndone for a checkpoint that is not of this log.
    """
    rows = {} if is_missing(engine) else await _rows(engine, definition.name)
    head = (await client.info()).head
    found = [await _status(client, definition, definition.name, rows, head)]
    rebuild = definition.name + REBUILD
    if rebuild in rows:
        found.append(await _status(client, definition, rebuild, rows, head))
    return found


async def _rows(engine: AsyncEngine, name: str) -> dict[str, Row]:
    async with transaction(engine, name, writes=False) as connection:
        if not await existing(connection, [PROJECTIONS.name]):
            return {}
        rows = [await read_row(connection, each) for each in (name, name + REBUILD)]
    return {row.name: row for row in rows if row is not None}


async def _status(
    client: Client, definition: Definition, name: str, rows: dict[str, Row], head: int
) -> Status:
    row = rows.get(name)
    if row is None:
        missing = await _first_after(client, definition, name, None, 0)
        return Status(name, 0, head, *_lag(missing, head), ProjectionState.NEW)
    missing = await _first_after(client, definition, name, row.token, row.position)
    failure = None
    if row.failed_position is not None:
        failure = Failure(row.failed_position, row.failed_event or "", row.error or "")
    return Status(name, row.position, head, *_lag(missing, head), row.state, failure)


async def _first_after(
    client: Client, definition: Definition, name: str, token: str | None, position: int
) -> Event | None:
    """The log knows best: behind a filter a position does not say whether anything is missing."""
    with translated(name, position):
        async for event in client.read(where=definition.match, after=token, limit=1):
            return event
    return None


def _lag(missing: Event | None, head: int) -> tuple[int, float]:
    if missing is None:
        return 0, 0.0
    since = datetime.now(UTC) - missing.commit_time
    return max(head - missing.position + 1, 1), max(since.total_seconds(), 0.0)
