"""Runs a projection: from its checkpoint on, or anew beside the tables that are read."""

import contextlib
from types import TracebackType
from typing import NoReturn, Self
from uuid import uuid4

from sqlalchemy.ext.asyncio import AsyncEngine

from gesta.client import Client, GestaError, Reporter, Subscription
from gesta.projection import checkpoints
from gesta.projection.checkpoints import Checkpoint
from gesta.projection.claims import REBUILD, Claim, claim, claim_rebuild
from gesta.projection.database import is_missing, open_engine, transaction
from gesta.projection.errors import NothingToSkip
from gesta.projection.intake import Intake
from gesta.projection.limits import FRAMES_AHEAD_MAX, TransactionLimits
from gesta.projection.log import translated
from gesta.projection.projection import Projection, definition_of
from gesta.projection.status import Status, status_of
from gesta.projection.swap import swap
from gesta.projection.writing import FailedTogether, OnCommit, Swapped, Writer


class Runner:
    """One projection on one database. Use it as a context manager; one thing at a time.

    `database` is a URL, the path of an SQLite file, or an engine, which stays the caller's to
    dispose of. Runners of one name take over from each other: the newest writes, those before it
    end with Superseded. Every error but the client's is a ProjectionError with its `next_step`; the
    tables are then as of the last checkpoint, and running again goes on from there.
    """

    def __init__(
        self,
        client: Client,
        projection: type[Projection],
        database: str | AsyncEngine,
        *,
        limits: TransactionLimits | None = None,
        on_commit: OnCommit | None = None,
    ) -> None:
        self._client = client
        self._definition = definition_of(projection)
        self._own_engine = isinstance(database, str)
        self._engine = open_engine(database) if isinstance(database, str) else database
        self._limits = limits or TransactionLimits()
        self._on_commit = on_commit
        self._session = uuid4().hex
        self._subscription: Subscription | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._own_engine:
            await self._engine.dispose()

    async def run(self) -> NoReturn:
        """Projects what is in the log and then what comes, until it is cancelled or fails."""
        claimed = await self._claim()
        while True:
            try:
                await self._follow(claimed, head=None)
            except Swapped:
                claimed = await self._claim(again=True)

    async def run_once(self) -> Checkpoint:
        """Projects what is in the log now, and returns."""
        head = (await self._client.info()).head
        claimed = await self._claim()
        while True:
            try:
                return await self._follow(claimed, head)
            except Swapped:
                claimed = await self._claim(again=True)

    async def rebuild(self) -> Checkpoint:
        """Projects the whole log into new tables, which then take the place of the old ones.

        Meanwhile the old ones are read, and kept up to date if a `run` goes on elsewhere, which
        then goes on with the new ones; it stops with CodeChanged if they are of newer code. One
        that was cut short is begun again.
        """
        rebuilt = await claim_rebuild(self._engine, self._definition)
        undone: str | None = None
        while True:
            reached = await self._follow(rebuilt, (await self._client.info()).head)
            swapped = await swap(self._engine, rebuilt, undone)
            if isinstance(swapped, Checkpoint):
                return swapped
            if swapped.position > (await self._client.info()).head:
                undone = swapped.token  # nobody can come that far in this log
            rebuilt = rebuilt.moved(reached)

    async def skip(self, position: int) -> None:
        """Leaves out the event at which the projection, or its rebuild, failed, on record.

        Raises NothingToSkip where it failed elsewhere, or not at all.
        """
        name = self._definition.name
        if is_missing(self._engine):
            raise NothingToSkip(name, position, None)
        async with transaction(self._engine, name) as connection:
            await checkpoints.create_tables(connection)
            rows = [await checkpoints.read_row(connection, n) for n in (name, name + REBUILD)]
            failed = [row for row in rows if row is not None and row.failed_position is not None]
            for row in failed:
                if row.failed_position == position:
                    await checkpoints.skip(connection, row, name)
                    return
        raise NothingToSkip(name, position, failed[0].failed_position if failed else None)

    async def status(self) -> Status:
        """Where it stands, whoever runs it."""
        return (await self.statuses())[0]

    async def statuses(self) -> list[Status]:
        """The same, and then that of a rebuild, if one is under way or was left."""
        return await status_of(self._client, self._engine, self._definition)

    @property
    def last_error(self) -> GestaError | None:
        """Why the connection to the server broke last; None while all is well."""
        return self._subscription.last_error if self._subscription is not None else None

    async def _claim(self, *, again: bool = False) -> Claim:
        return await claim(self._engine, self._definition, self._session, again=again)

    async def _follow(self, claimed: Claim, head: int | None) -> Checkpoint:
        """With a `head`, until it is reached. Raises what `Writer.write` raises, and Swapped."""
        writer = Writer(self._engine, claimed, self._limits, self._on_commit)
        try:
            while True:
                with contextlib.suppress(FailedTogether):
                    return await self._feed(writer, head)
        finally:
            self._subscription = None
            await writer.stop()

    async def _feed(self, writer: Writer, head: int | None) -> Checkpoint:
        claimed, name = writer.claim, writer.claim.name
        self._subscription = self._client.subscribe(
            after=claimed.token,
            where=self._definition.match,
            frames_ahead_max=FRAMES_AHEAD_MAX,
        )
        with translated(name, claimed.position):
            async with self._subscription as subscription, Reporter(self._client, name) as reporter:
                intake = Intake(subscription)
                while True:
                    checkpoint = await writer.write(intake)
                    reporter.report(checkpoint.token)
                    if head is not None and (intake.caught_up or checkpoint.position >= head):
                        return checkpoint
