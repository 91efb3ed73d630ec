"""The one writer: it seals what is queued, commits it in one go, and only then lets answers out.

While one batch commits, the next fills (group commit). What is decided rests on what is not
committed yet, so a batch that fails takes everything decided since with it, of every aggregate:
one generation stands or falls together.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable

from gesta.engine.batch import Decided, OpenBatch, Waiter
from gesta.engine.command_ids import CommandIds
from gesta.engine.errors import (
    CommandIdReused,
    EngineError,
    OutcomeUnknown,
    StorageIsFull,
    StorageUnavailable,
)
from gesta.engine.feed import Feed
from gesta.engine.limits import Limits
from gesta.engine.log_time import LogTime
from gesta.engine.messages import Accepted
from gesta.engine.ports import Randomness
from gesta.engine.snapshots import Snapshots
from gesta.store.port import Batch, CorruptLog, EventStore, StorageFull

_LOG = logging.getLogger("gesta.engine")

_make = tuple.__new__  # a NamedTuple in a third of the time that calling it takes


class Writer:
    """Owns the store's write side from `start` to `stop`."""

    def __init__(
        self,
        store: EventStore,
        feed: Feed,
        ids: CommandIds,
        time: LogTime,
        snapshots: Snapshots,
        randomness: Randomness,
        limits: Limits,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._store = store
        self._feed = feed
        self._ids = ids
        self._time = time
        self._snapshots = snapshots
        self._randomness = randomness
        self._limits = limits
        self._on_failure = on_failure
        self._queue: deque[OpenBatch] = deque()
        self._pending: dict[bytes, tuple[Decided, OpenBatch]] = {}
        self._work = asyncio.Event()
        self._prune: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self.bytes_waiting = 0
        """Bytes of events, with their envelopes, and replies that wait for their commit."""
        self.failed = False
        """The store has failed for good; nothing is accepted any more."""

    def start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._run(), name="gesta-writer")
        self._task.add_done_callback(self._ended)

    async def stop(self) -> None:
        """Ends the task. Everything queued must have been answered."""
        self._stopping = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def add(self, item: Decided) -> OpenBatch:
        """Queue something decided; it is answered after its commit, or with the reason why not."""
        size = item.event_bytes + len(item.reply)
        batch = self._queue[-1] if self._queue else None
        if (
            batch is None
            or batch.sealed
            or batch.events + len(item.events) > self._limits.batch_events_max
            or batch.bytes + size > self._limits.batch_bytes_max
        ):
            batch = OpenBatch()
            self._queue.append(batch)
        batch.items.append(item)
        batch.events += len(item.events)
        batch.event_bytes += item.event_bytes
        batch.bytes += size
        self.bytes_waiting += size
        self._pending[item.command_id] = (item, batch)
        self._work.set()
        return batch

    def follow(self, batch: OpenBatch, item: Decided) -> None:
        """Queue a refusal behind the batch whose events it rests on."""
        batch.items.append(item)
        self._pending.setdefault(item.command_id, (item, batch))

    def join(self, command_id: bytes, fingerprint: bytes, waiter: Waiter) -> bool:
        """Wait with the first attempt at this command id, if it is in flight.

        Another command under the same id is refused, once it is certain that the first one stands.
        """
        found = self._pending.get(command_id)
        if found is None:
            return False
        item, batch = found
        if item.fingerprint == fingerprint:
            item.waiters.append(waiter)
        else:
            other = Decided(command_id, fingerprint, item.envelope, [waiter], memorable=False)
            other.refusal = CommandIdReused(command_id)
            batch.items.append(other)
        return True

    def prune(self, kept_us: int, rows: int) -> None:
        """Have answers forgotten, soon, that were kept for so long: so many after each commit, the
        next one waits for no more."""
        if not self.failed:
            self._prune = (kept_us, rows)
            self._work.set()

    def latest(self, batches: list[OpenBatch]) -> OpenBatch:
        """The one of these that commits last; all must still be uncommitted."""
        return max(batches, key=self._queue.index)

    async def _run(self) -> None:
        while True:
            await self._work.wait()
            self._work.clear()
            while self._queue or self._prune is not None:
                if self._queue:
                    await self._commit(self._queue[0])
                if self._prune is not None:
                    await self._forget_answers(*self._prune)

    async def _forget_answers(self, kept_us: int, rows: int) -> None:
        """Forget one piece of them. A piece that is not full was the last."""
        forgotten = 0
        # Asked for each piece: the clock may have been set back since the last one.
        before_us = self._time.certain_us() - kept_us
        try:
            forgotten = await self._store.prune_commands(before_us, rows)
        except StorageFull:
            _LOG.warning("the storage is full: old answers were not removed")
        except CorruptLog as error:
            _LOG.error("old answers were not removed, one of them is damaged: %s", error)
        except Exception as error:  # whatever it was, the disk is in doubt
            self._fail(error)
        if forgotten < rows:
            self._prune = None

    async def _commit(self, batch: OpenBatch) -> None:
        sealed = batch.seal(self._feed.head, self._time.now_us(), self._randomness)
        try:
            await self._store.append(sealed)
        except StorageFull:
            _LOG.warning("the storage is full: %d commands were not done", len(batch.items))
            self._discard(StorageIsFull(), StorageIsFull())
        except asyncio.CancelledError:
            self._discard(OutcomeUnknown(), StorageUnavailable())
            raise
        except Exception as error:  # whatever it was, the disk is in doubt
            self._fail(error)
        else:
            self._confirm(batch, sealed)

    def _confirm(self, batch: OpenBatch, sealed: Batch) -> None:
        """The commit is on the disk: move the head, the confirmed states and the tail, then answer.

        One step without await, so that nobody can see one of them without the others. The batch
        leaves the queue last: what a bug leaves unanswered is then found and answered there.
        """
        self.bytes_waiting -= batch.bytes
        self._time.confirm(sealed.commit_time_us)
        for item in batch.items:
            for actor, version, state in item.changes:
                actor.confirmed_version = version
                actor.confirmed_state = state
                if actor.gate is batch:
                    actor.gate = None
                if version >= actor.snapshot_due:
                    self._snapshots.take(actor, item.last_of(actor.stream, sealed.events))
        self._feed.publish(sealed.events, batch.event_bytes)
        for item in batch.items:
            self._forget(item)
            if item.refusal is not None:
                if item.memorable:
                    self._ids.refused(item.command_id, item.fingerprint, item.refusal)
                item.answer(item.refusal)
            else:
                self._ids.committed(item.command_id)
                item.answer(accepted(item))
        self._queue.popleft()

    def _ended(self, task: asyncio.Task[None]) -> None:
        """The task has ended, which nobody asked for: a bug. Whoever waits must hear of it."""
        if self._stopping:
            return
        if task.cancelled():
            self._fail(RuntimeError("the writer was cancelled"))
        else:
            self._fail(task.exception() or RuntimeError("the writer returned"))

    def _fail(self, error: BaseException) -> None:
        """Only the next start can tell what is on the disk: answer all, and have us stopped."""
        _LOG.critical("the storage failed; stopping", exc_info=error)
        self.failed = True
        self._prune = None
        self._discard(OutcomeUnknown(), StorageUnavailable())
        self._on_failure(error)

    def _discard(self, first: EngineError, rest: EngineError) -> None:
        """End the generation: the batch under way (`first`) and all decided since (`rest`)."""
        discarded, self._queue = self._queue, deque()
        self.bytes_waiting = 0
        self._time.revert()
        for batch in discarded:
            for item in batch.items:
                self._forget(item)
                for actor, _, _ in item.changes:
                    actor.version = actor.confirmed_version
                    actor.state = actor.confirmed_state
                    actor.gate = None
        for batch in discarded:
            for item in batch.items:
                # A refusal wrote nothing: it is not done, whatever became of what it rested on.
                unknown = batch.sealed and item.refusal is None
                item.answer(first if unknown else rest)

    def _forget(self, item: Decided) -> None:
        found = self._pending.get(item.command_id)
        if found is not None and found[0] is item:
            del self._pending[item.command_id]


def accepted(item: Decided) -> Accepted:
    """The answer to a command whose batch is committed."""
    fields = (item.version, item.position, len(item.events), item.reply, item.command_id, False, ())
    return _make(Accepted, fields)
