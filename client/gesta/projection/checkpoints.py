"""Where each projection stands: two tables of ours, in the read model's own database."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

metadata = MetaData()

PROJECTIONS = Table(
    "gesta_projections",
    metadata,
    Column("name", String(255), primary_key=True),  # `name@rebuild` while it is rebuilt
    Column("version", Integer, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("generation", Integer, nullable=False),  # one more with each rebuild
    Column("tables", Text, nullable=False),  # their names, one a line
    Column("session", String(64), nullable=False),  # who may write
    Column("state", String(32), nullable=False),
    Column("token", String(255)),  # NULL: before the first event
    Column("position", BigInteger, nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("failed_position", BigInteger),
    Column("failed_event_id", LargeBinary(16)),
    Column("failed_event", Text),
    Column("error", Text),
)
SKIPS = Table(
    "gesta_projection_skips",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("version", Integer, primary_key=True),
    # After a restore the log may have another event at that position, which is not to be left out.
    Column("event_id", LargeBinary(16), primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("event", Text, nullable=False),
    Column("error", Text, nullable=False),
    Column("skipped_at", DateTime(timezone=True), nullable=False),
)


class ProjectionState(StrEnum):
    """As it last wrote it: a process that was killed cannot say that it has stopped."""

    NEW = "new"
    """It has never run on this database."""
    CATCHING_UP = "catching_up"
    LIVE = "live"
    STOPPED = "stopped"
    FAILED = "failed"
    """At an event; see PoisonEvent."""

    @classmethod
    def _missing_(cls, value: object) -> "ProjectionState":
        """Nothing rests on it, so what a newer gesta wrote, say, is no reason to stop."""
        return cls.STOPPED


class Checkpoint(NamedTuple):
    """What was committed together with the rows."""

    name: str
    token: str
    position: int
    state: ProjectionState


@dataclass(frozen=True, slots=True)
class Row:
    """One projection's row."""

    name: str
    version: int
    fingerprint: str
    generation: int
    tables: tuple[str, ...]
    session: str
    state: ProjectionState
    token: str | None
    position: int
    failed_position: int | None = None
    failed_event_id: bytes | None = None
    failed_event: str | None = None
    error: str | None = None


_CLEARED = dict.fromkeys(("failed_position", "failed_event_id", "failed_event", "error"))


async def create_tables(connection: AsyncConnection) -> None:
    """Where they are not there yet."""
    await connection.run_sync(metadata.create_all)


async def read_row(
    connection: AsyncConnection, name: str, *, for_update: bool = False
) -> Row | None:
    """`for_update`: nobody else writes it until the transaction ends."""
    columns = [column for column in PROJECTIONS.columns if column.name != "updated_at"]
    asked = select(*columns).where(PROJECTIONS.c.name == name)
    found = (await connection.execute(asked.with_for_update() if for_update else asked)).first()
    if found is None:
        return None
    values = dict(found._mapping)
    values["tables"] = tuple(values["tables"].splitlines())
    values["state"] = ProjectionState(values["state"])
    return Row(**values)


async def write_row(connection: AsyncConnection, row: Row) -> None:
    """In the place of the one of that name, if there is one."""
    await remove_row(connection, row.name)
    values: dict[str, Any] = {name: getattr(row, name) for name in Row.__dataclass_fields__}
    values["tables"] = "\n".join(row.tables)
    await connection.execute(insert(PROJECTIONS).values(**values, updated_at=_now()))


async def remove_row(connection: AsyncConnection, name: str) -> None:
    await connection.execute(delete(PROJECTIONS).where(PROJECTIONS.c.name == name))


async def claim_row(connection: AsyncConnection, name: str, session: str) -> None:
    """From now on only this session may write. What failed is forgotten: it is tried again."""
    await _update(
        connection,
        PROJECTIONS.c.name == name,
        {"session": session, "state": ProjectionState.CATCHING_UP, **_CLEARED},
    )


async def update_own_row(
    connection: AsyncConnection,
    name: str,
    session: str,
    generation: int,
    values: Mapping[str, object],
) -> bool:
    """False: it is no longer this session's, or no longer of these tables. Until the transaction
    ends, nobody else can write the row, so whoever updates it first may write the tables too."""
    own = and_(
        PROJECTIONS.c.name == name,
        PROJECTIONS.c.session == session,
        PROJECTIONS.c.generation == generation,
    )
    return await _update(connection, own, values) == 1


async def skip(connection: AsyncConnection, row: Row, base_name: str) -> None:
    """Records that the event at which `row` failed is left out, by this version of the code."""
    await connection.execute(
        insert(SKIPS).values(
            name=base_name,
            version=row.version,
            event_id=row.failed_event_id,
            position=row.failed_position,
            event=row.failed_event,
            error=row.error,
            skipped_at=_now(),
        )
    )
    stopped = {"state": ProjectionState.STOPPED, **_CLEARED}
    await _update(connection, PROJECTIONS.c.name == row.name, stopped)


async def skipped_events(
    connection: AsyncConnection, base_name: str, version: int
) -> frozenset[bytes]:
    """Their ids. A rebuild of that version leaves them out too; a newer one tries them again."""
    asked = select(SKIPS.c.event_id).where(SKIPS.c.name == base_name, SKIPS.c.version == version)
    return frozenset((await connection.execute(asked)).scalars())


async def _update(connection: AsyncConnection, where: Any, values: Mapping[str, object]) -> int:
    changed = await connection.execute(
        update(PROJECTIONS).where(where).values(**values, updated_at=_now())
    )
    return int(changed.rowcount)


def _now() -> datetime:
    return datetime.now(UTC)
