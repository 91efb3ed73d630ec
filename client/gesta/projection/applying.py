"""Projecting a chunk: rows and checkpoint in one transaction, and the event that cannot be."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NoReturn

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from gesta.client import Event
from gesta.projection import checkpoints, generations
from gesta.projection.checkpoints import Checkpoint, ProjectionState
from gesta.projection.claims import Claim
from gesta.projection.database import is_trouble, transaction
from gesta.projection.errors import CheckpointLost, PoisonEvent, Superseded
from gesta.projection.intake import Chunk, WholeBatch
from gesta.projection.limits import TransactionLimits
from gesta.projection.projection import Projection

OnCommit = Callable[[Checkpoint], Awaitable[None]]
"""Told of each checkpoint, in order, once it is committed. What it raises ends the projection."""


class Swapped(Exception):
    """A rebuild has put other tables in the place of these: claim them, and go on from there."""


class _Failed(Exception):
    """The author's code raised `cause`, on `event`; None: in `flush`."""

    def __init__(self, cause: Exception, event: Event | None) -> None:
        super().__init__(cause)
        self.cause = cause
        self.event = event


class Applier:
    """Writes what one claim allows."""

    def __init__(
        self,
        engine: AsyncEngine,
        claim: Claim,
        limits: TransactionLimits,
        on_commit: OnCommit | None,
    ) -> None:
        self._engine = engine
        self._claim = claim
        self._write_s_max = limits.write_ms_max / 1000
        self._on_commit = on_commit
        self._gave_up = False
        self._handlers = {
            name: (handler.function, handler.decode)
            for name, handler in claim.definition.handlers.items()
        }

    async def apply(self, chunk: Chunk) -> Checkpoint:
        """Raises PoisonEvent, once all batches before its own are committed and it is on record;
        Superseded, Swapped, CheckpointLost or DatabaseFailed, and then nothing more is."""
        left, together = chunk.batches, len(chunk.batches)
        while True:
            batches = left[:together]
            try:
                checkpoint, count = await self._commit(batches, chunk)
            except _Failed as failed:
                if len(batches) == 1:
                    await self._give_up(batches[0], failed)
                together = 1  # so that what comes before the culprit is committed
                continue
            left = left[count:]
            if not left:
                return checkpoint

    async def stop(self) -> None:
        """Says that nobody writes any more, if the claim still stands."""
        if not self._gave_up:
            async with transaction(self._engine, self._claim.name) as connection:
                await self._update(connection, {"state": ProjectionState.STOPPED})

    async def _commit(self, batches: Sequence[WholeBatch], chunk: Chunk) -> tuple[Checkpoint, int]:
        """How many of the batches were committed: one at least, and all if time allows."""
        claim = self._claim
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._write_s_max
        async with transaction(self._engine, claim.name) as connection:
            checkpoint = self._checkpoint(batches[-1], chunk)
            await self._advance(connection, checkpoint)  # at first, so that nobody else may write
            if claim.is_rebuild:
                generations.guard(connection, claim.definition)
            projection = claim.projection()
            count = 0
            while count < len(batches) and (count == 0 or loop.time() < deadline):
                await self._handle(projection, batches[count].events, connection)
                count += 1
            await self._flush(projection, connection)
            if count < len(batches):
                checkpoint = self._checkpoint(batches[count - 1], chunk)
                await self._advance(connection, checkpoint)
        if self._on_commit is not None:
            await self._on_commit(checkpoint)
        return checkpoint, count

    def _checkpoint(self, batch: WholeBatch, chunk: Chunk) -> Checkpoint:
        live = chunk.caught_up and batch is chunk.batches[-1]
        state = ProjectionState.LIVE if live else ProjectionState.CATCHING_UP
        return Checkpoint(self._claim.name, batch.token, batch.position, state)

    async def _advance(self, connection: AsyncConnection, checkpoint: Checkpoint) -> None:
        values = checkpoint._asdict()
        if not await self._update(connection, values):
            await self._explain(connection)

    async def _handle(
        self, projection: Projection, events: Sequence[Event], connection: AsyncConnection
    ) -> None:
        """No await of its own and no call that could be spared: 100,000 events a second pass."""
        handlers, skips = self._handlers, self._claim.skips
        event = None
        try:
            for event in events:
                message = event.message
                if skips and message.position in skips:
                    continue
                function, decode = handlers[message.event_type]
                await function(projection, decode(event), event, connection)
        except Exception as error:
            if is_trouble(error):
                raise
            raise _Failed(error, event) from error

    async def _flush(self, projection: Projection, connection: AsyncConnection) -> None:
        try:
            await projection.flush(connection)
        except Exception as error:
            if is_trouble(error):
                raise
            raise _Failed(error, None) from error

    async def _give_up(self, batch: WholeBatch, failed: _Failed) -> NoReturn:
        """Finds the event, records it, and raises PoisonEvent."""
        event, alone = failed.event, True
        if event is None:
            event = await self._culprit(batch)
            event, alone = event or batch.events[-1], event is not None
        error = _in_a_line(failed.cause)
        values = {
            "state": ProjectionState.FAILED,
            "failed_position": event.position,
            "failed_event": _in_words(event),
            "error": error,
        }
        async with transaction(self._engine, self._claim.name) as connection:
            if not await self._update(connection, values):
                await self._explain(connection)
        self._gave_up = True
        raise PoisonEvent(
            self._claim.name, event.position, _in_words(event), error, trial=not alone
        ) from failed.cause

    async def _culprit(self, batch: WholeBatch) -> Event | None:
        """Tries the events one by one, in a transaction that is rolled back."""
        found: Event | None = None
        try:
            async with transaction(self._engine, self._claim.name) as connection:
                for event in batch.events:
                    found = event
                    projection = self._claim.projection()
                    await self._handle(projection, [event], connection)
                    await self._flush(projection, connection)
                found = None
                raise _RolledBack
        except (_Failed, _RolledBack):
            return found

    async def _update(self, connection: AsyncConnection, values: Mapping[str, object]) -> bool:
        claim = self._claim
        return await checkpoints.update_own_row(
            connection, claim.name, claim.session, claim.generation, values
        )

    async def _explain(self, connection: AsyncConnection) -> NoReturn:
        """Why the row is no longer ours."""
        name = self._claim.name
        row = await checkpoints.read_row(connection, name)
        if row is None:
            raise CheckpointLost(name, self._claim.definition.table_names)
        if row.session != self._claim.session:
            raise Superseded(name)
        raise Swapped


class _RolledBack(Exception):
    """Ends a trial in which everything went well."""


def _in_words(event: Event) -> str:
    return (
        f"{event.event_type} of {event.aggregate_type}/{event.aggregate_id}, "
        f"version {event.version}"
    )


def _in_a_line(error: Exception) -> str:
    text = str(error).partition("\n")[0]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
