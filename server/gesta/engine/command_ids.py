"""Which command ids are taken: in flight, stored, refused a while ago, or too old to say.

Every stored time-ordered id (UUID version 7) at or after a moving mark is in memory, so a fresh id
needs no look-up. An id before the mark, or of another version, is looked up in the store.
"""

import heapq
from collections import OrderedDict
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from gesta.engine.errors import (
    CommandIdExpired,
    CorruptEvent,
    EngineError,
    InvalidRequest,
    StorageUnavailable,
)
from gesta.engine.limits import Limits
from gesta.engine.ports import Clock
from gesta.store.port import CommandRecord, CorruptLog, EventStore, StorageFailed

_BUCKET_BYTES = 5
"""Ids are dropped from memory by the first 40 bits of their time: 256 ms at once."""


class Standing(Enum):
    """What memory alone can say of an id."""

    FRESH = auto()
    """Never accepted."""
    UNCERTAIN = auto()
    """Ask the store."""


class Refusal(NamedTuple):
    """A refusal that is remembered until `expires`, by Clock.monotonic."""

    expires: float
    fingerprint: bytes
    error: EngineError


@dataclass(slots=True, eq=False)
class LookUp:
    """A look-up under way; `overtaken` when its id was committed meanwhile."""

    overtaken: bool = False


class CommandIds:
    """Memory of the ids of one log. What is in flight is the writer's to know."""

    def __init__(self, limits: Limits, clock: Clock) -> None:
        self._limits = limits
        self._clock = clock
        self._buckets: dict[bytes, set[bytes]] = {}
        self._order: list[bytes] = []
        self._count = 0
        self._mark = b""
        self._refusals: OrderedDict[bytes, Refusal] = OrderedDict()
        self._looking: dict[bytes, list[LookUp]] = {}

    async def load(self, store: EventStore, now_us: int) -> None:
        """Read the newest stored ids, once, at start."""
        limit = self._limits.command_ids_in_memory_max
        low = lowest_v7(now_us - self._limits.command_id_window_s * 1_000_000)
        high = lowest_v7(now_us + (self._limits.command_id_ahead_s + 1) * 1_000_000)
        ids = await store.command_ids_between(low, high, limit)
        # With fewer than the limit there is none before them either, within the window.
        self._mark = ids[-1] if len(ids) == limit else low
        for command_id in ids:
            if is_v7(command_id):
                self._remember(command_id)

    def check_age(self, command_id: bytes, now_us: int) -> None:
        """Raise CommandIdExpired or InvalidRequest for a time-ordered id outside the window."""
        if not is_v7(command_id):
            return
        made_us = int.from_bytes(command_id[:6], "big") * 1_000
        if made_us < now_us - self._limits.command_id_window_s * 1_000_000:
            raise CommandIdExpired(command_id, self._limits.command_id_window_s)
        if made_us > now_us + self._limits.command_id_ahead_s * 1_000_000:
            raise InvalidRequest("command_id", "its time is too far ahead of the server's clock")

    def standing(self, command_id: bytes) -> Standing:
        """Whether the id was never stored, as far as memory can tell."""
        if command_id < self._mark or not is_v7(command_id):
            return Standing.UNCERTAIN
        bucket = self._buckets.get(command_id[:_BUCKET_BYTES])
        return Standing.UNCERTAIN if bucket and command_id in bucket else Standing.FRESH

    async def look_up(self, store: EventStore, command_id: bytes) -> CommandRecord | None:
        """The stored answer of an uncertain id; None: not stored, as of the step that resumes.

        A look-up that reads before a commit may resume after it: then it reads again.
        """
        while True:
            look = LookUp()
            self._looking.setdefault(command_id, []).append(look)
            try:
                found = await store.find_command(command_id)
            except CorruptLog as error:
                raise CorruptEvent(error.position) from error
            except StorageFailed as error:
                raise StorageUnavailable from error
            finally:
                looks = self._looking[command_id]
                looks.remove(look)
                if not looks:
                    del self._looking[command_id]
            if found is not None or not look.overtaken:
                return found

    def committed(self, command_id: bytes) -> None:
        """An accepted command with this id is on the disk."""
        for look in self._looking.get(command_id, ()):
            look.overtaken = True
        if command_id >= self._mark and is_v7(command_id):
            self._remember(command_id)

    def refused(self, command_id: bytes, fingerprint: bytes, error: EngineError) -> None:
        """Remember a refusal, for a while."""
        # A traceback holds the frames it passed through, and with them arguments and states.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        expires = self._clock.monotonic() + self._limits.refusal_window_s
        self._refusals[command_id] = Refusal(expires, fingerprint, error)
        if len(self._refusals) > self._limits.refusals_in_memory_max:
            self._refusals.popitem(last=False)

    def refusal(self, command_id: bytes) -> Refusal | None:
        """The remembered refusal of this id, if there is one."""
        if not self._refusals:
            return None
        found = self._refusals.get(command_id)
        if found is not None and found.expires < self._clock.monotonic():
            del self._refusals[command_id]
            return None
        return found

    def _remember(self, command_id: bytes) -> None:
        prefix = command_id[:_BUCKET_BYTES]
        bucket = self._buckets.get(prefix)
        if bucket is None:
            bucket = self._buckets[prefix] = set()
            heapq.heappush(self._order, prefix)
        bucket.add(command_id)
        self._count += 1
        while self._count > self._limits.command_ids_in_memory_max:
            oldest = heapq.heappop(self._order)
            self._count -= len(self._buckets.pop(oldest))
            after = (int.from_bytes(oldest, "big") + 1).to_bytes(_BUCKET_BYTES, "big")
            self._mark = max(self._mark, after)


def is_v7(command_id: bytes) -> bool:
    """Whether the id is a time-ordered UUID (RFC 9562, version 7)."""
    return command_id[6] >> 4 == 7 and command_id[8] >> 6 == 2


def lowest_v7(time_us: int) -> bytes:
    """A lower bound of all version 7 ids made at that time or later."""
    return max(0, time_us // 1_000).to_bytes(6, "big") + bytes(10)
