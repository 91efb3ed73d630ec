"""Rows and checkpoint in one transaction; and the event that cannot be projected."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.client import Event
from gesta.projection import checkpoints, generations
from gesta.projection.checkpoints import Checkpoint, ProjectionState
from gesta.projection.claims import Claim
from gesta.projection.database import is_trouble, kept_open, transaction
from gesta.projection.errors import CheckpointLost, PoisonEvent, ProjectionError, Superseded
from gesta.projection.intake import Intake, WholeBatch
from gesta.projection.limits import TransactionLimits
from gesta.projection.projection import Projection

OnCommit = Callable[[Checkpoint], Awaitable[None]]
"""Told of each checkpoint, in order, once it is committed. What it raises ends the projection."""


class Swapped(Exception):
    """A rebuild has put other tables in the place of these: claim them, and go on from there."""


class FailedTogether(Exception):
    """Nothing was written of a transaction of many batches. From the last checkpoint on, the writer
    now takes one at a time, so that all before the culprit are committed."""


class _Failed(Exception):
    """The author's code raised `cause`, on `event`; None: in `flush`."""

    def __init__(self, cause: BaseException, event: Event | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.event = event


class Writer:
    """Writes what a claim allows; `claim` moves on with each commit."""

    def __init__(
        self,
        engine: AsyncEngine,
        claim: Claim,
        limits: TransactionLimits,
        on_commit: OnCommit | None,
    ) -> None:
        self.claim = claim
        self._engine = engine
        self._limits = limits
        self._on_commit = on_commit
        self._one_by_one_to = 0
        """A position; before it each batch is a transaction of its own."""
        self._gave_up = False
        self._handlers = {
            name: (handler.function, handler.decode)
            for name, handler in claim.definition.handlers.items()
        }

    async def write(self, intake: Intake) -> Checkpoint:
        """One transaction, once there is something to write.

        Raises PoisonEvent, when it is on record; FailedTogether, Superseded, Swapped,
        CheckpointLost or DatabaseFailed, and then nothing is written.
        """
        taken = _Taken(await intake.next())
        try:
            async with self._transaction() as connection:
                await self._update(connection, {})  # at first: from here on nobody else writes
                with self._kept_open(connection):
                    await self._fill(taken, intake, connection)
                state = ProjectionState.LIVE if intake.caught_up else ProjectionState.CATCHING_UP
                last = taken.last
                checkpoint = Checkpoint(self.claim.name, last.token, last.position, state)
                await self._update(connection, checkpoint._asdict())
        except _Failed as failed:
            if taken.batches > 1:
                self._one_by_one_to = taken.last.position
                raise FailedTogether from failed.cause
            await self._give_up(taken.last, failed)
        self.claim = self.claim.moved(checkpoint)
        if self._on_commit is not None:
            await self._on_commit(checkpoint)
        return checkpoint

    async def stop(self) -> None:
        """Says that nobody writes any more. Not after PoisonEvent, which has said more."""
        if not self._gave_up:
            with contextlib.suppress(ProjectionError, Swapped):
                async with self._transaction() as connection:
                    await self._update(connection, {"state": ProjectionState.STOPPED})

    async def _fill(self, taken: "_Taken", intake: Intake, connection: AsyncConnection) -> None:
        """Handles batches as they come: while these are handled, the server sends the next."""
        if self.claim.is_rebuild:
            generations.guard(connection, self.claim.definition)
        limits, loop = self._limits, asyncio.get_running_loop()
        deadline = loop.time() + limits.duration_ms_max / 1000
        projection = self.claim.projection()
        events = 0
        more: WholeBatch | None = taken.last
        while more is not None:
            taken.last = more
            taken.batches += 1
            await self._handle(projection, more.events, connection)
            events += len(more.events)
            alone = intake.caught_up or more.position <= self._one_by_one_to
            if alone or events >= limits.events_max or loop.time() > deadline:
                break
            more = await intake.next_before(deadline)
        await self._flush(projection, connection)

    async def _handle(
        self, projection: Projection, events: Sequence[Event], connection: AsyncConnection
    ) -> None:
        """The hot path: 200,000 events a second pass."""
        handlers, skips = self._handlers, self.claim.skips
        event = None
        try:
            for event in events:
                message = event.message
                if skips and message.event_id in skips:
                    continue
                function, decode = handlers[message.event_type]
                await function(projection, decode(event), event, connection)
        except BaseException as error:
            if not _is_the_authors(error):
                raise
            raise _Failed(error, event) from error

    async def _flush(self, projection: Projection, connection: AsyncConnection) -> None:
        try:
            await projection.flush(connection)
        except BaseException as error:
            if not _is_the_authors(error):
                raise
            raise _Failed(error, None) from error

    async def _give_up(self, batch: WholeBatch, failed: _Failed) -> NoReturn:
        """Finds the event, records it, and raises PoisonEvent."""
        culprit = failed.event or await self._culprit(batch)
        event = culprit or batch.events[-1]
        words, error = _in_words(event), _in_a_line(failed.cause)
        async with self._transaction() as connection:
            await self._update(
                connection,
                {
                    "state": ProjectionState.FAILED,
                    "failed_position": event.position,
                    "failed_event_id": event.message.event_id,
                    "failed_event": words,
                    "error": error,
                },
            )
        self._gave_up = True
        raise PoisonEvent(
            self.claim.name, event.position, words, error, alone=culprit is not None
        ) from failed.cause

    async def _culprit(self, batch: WholeBatch) -> Event | None:
        """Tries the events one by one, in a transaction that is rolled back. None: it is not one of
        them alone."""
        trying: Event | None = None
        with contextlib.suppress(_Failed, _AllWell):
            async with self._transaction() as connection:
                with self._kept_open(connection):
                    for trying in batch.events:
                        projection = self.claim.projection()
                        await self._handle(projection, [trying], connection)
                        await self._flush(projection, connection)
                trying = None
                raise _AllWell
        return trying

    def _kept_open(self, connection: AsyncConnection) -> AbstractContextManager[None]:
        return kept_open(connection, self.claim.definition.projection.__qualname__)

    def _transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        return transaction(self._engine, self.claim.name)

    async def _update(self, connection: AsyncConnection, values: Mapping[str, object]) -> None:
        """Of our row; until the transaction ends, it is locked."""
        claim = self.claim
        if not await checkpoints.update_own_row(
            connection, claim.name, claim.session, claim.generation, values
        ):
            row = await checkpoints.read_row(connection, claim.name)
            if row is None:
                raise CheckpointLost(claim.name, claim.definition.table_names)
            if row.session != claim.session:
                raise Superseded(claim.name)
            raise Swapped


class _Taken:
    """What one transaction has taken from the log so far."""

    def __init__(self, first: WholeBatch) -> None:
        self.last = first
        self.batches = 0


class _AllWell(Exception):
    """Ends a trial in which no event failed, so that it is rolled back too."""


def _in_words(event: Event) -> str:
    return (
        f"{event.event_type} of {event.aggregate_type}/{event.aggregate_id}, "
        f"version {event.version}"
    )


def _is_the_authors(error: BaseException) -> bool:
    """Whether it is the event that cannot be projected, and neither the database that failed nor
    somebody who wants us to stop. A handler that calls sys.exit would stop us without a word."""
    if isinstance(error, asyncio.CancelledError):
        task = asyncio.current_task()
        return task is not None and not task.cancelling()
    return isinstance(error, Exception | SystemExit) and not is_trouble(error)


def _in_a_line(error: BaseException) -> str:
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
