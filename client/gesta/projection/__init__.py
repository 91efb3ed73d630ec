"""Projections: read models in SQL, kept up to date by the log, exactly once in effect.

    class Accounts(Projection):
        name = "accounts"
        accounts = Table("accounts", MetaData(), Column("id", String, primary_key=True), ...)

        @on(AccountOpened)
        async def opened(self, event, recorded, connection):
            await connection.execute(self.accounts.insert().values(id=recorded.aggregate_id))

    async with connect("localhost:50051") as client, Runner(client, Accounts, "bank.db") as runner:
        await runner.run()

What an author writes
    projection.py    Projection: tables, version, flush
    handlers.py      @on
    upserts.py       upsert, for SQLite and PostgreSQL
    reading.py       reading: for those who ask
    definition.py    what a class says of itself, checked when it is defined
What runs it
    runner.py        Runner: run, rebuild, skip, status
    limits.py        TransactionLimits: how much goes into one transaction
    intake.py        from a subscription to whole commands
    writing.py       rows and checkpoint in one transaction; poison events
    claims.py        who may write
    swap.py          the end of a rebuild
    generations.py   tables of a rebuild beside those that are read
    status.py        Status: position and lag
Where it is kept
    checkpoints.py   the tables gesta_projections and gesta_projection_skips
    database.py      engines, transactions, whose fault an error is
    log.py           checkpoints that the log does not have
    errors.py        the tree of errors, each with its next step
"""

try:
    import sqlalchemy.ext.asyncio  # noqa: F401
except ImportError as _error:
    raise ImportError("projections need SQLAlchemy: pip install 'gesta[projections]'") from _error

from gesta.projection.checkpoints import Checkpoint, ProjectionState
from gesta.projection.database import open_engine
from gesta.projection.errors import (
    BadDatabase,
    CheckpointLost,
    CheckpointUndone,
    CodeChanged,
    DatabaseFailed,
    MustRebuild,
    NothingToSkip,
    NotProjected,
    PoisonEvent,
    ProjectionError,
    Superseded,
    TablesLost,
)
from gesta.projection.handlers import on
from gesta.projection.limits import TransactionLimits
from gesta.projection.projection import Projection
from gesta.projection.reading import reading
from gesta.projection.runner import Runner
from gesta.projection.status import Failure, Status
from gesta.projection.upserts import upsert
from gesta.projection.writing import OnCommit

__all__ = [
    "Projection",
    "on",
    "upsert",
    "reading",
    "open_engine",
    "Runner",
    "TransactionLimits",
    "Checkpoint",
    "OnCommit",
    "Status",
    "Failure",
    "ProjectionState",
    "ProjectionError",
    "PoisonEvent",
    "MustRebuild",
    "CodeChanged",
    "CheckpointLost",
    "TablesLost",
    "CheckpointUndone",
    "Superseded",
    "NothingToSkip",
    "DatabaseFailed",
    "NotProjected",
    "BadDatabase",
]
