"""Which command ids are taken: in flight, stored, refused a while ago, or too old to say.

Every stored time-ordered id (UUID version 7) from a moving mark up to a little ahead of the clock
is in memory, so a fresh id needs no look-up. An id before the mark, further ahead, or of another
version, is looked up in the store: whoever's clock is hours ahead burdens nobody but himself.
"""

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from gesta.engine.errors import (
    CommandIdExpired,
    CorruptEvent,
    EngineError,
    InvalidRequest,
    Refused,
    StorageUnavailable,
)
from gesta.engine.limits import Limits
from gesta.engine.ports import Clock
from gesta.store.port import CommandRecord, CorruptLog, EventStore, StorageFailed, StoreError

_BUCKET_BYTES = 5
"""Ids are dropped from memory by the first 40 bits of their time: 256 ms at once."""

_ID_BYTES = 16
_VERSION_7 = frozenset(range(0x70, 0x80))
"""What the 7th byte of a time-ordered id may be."""
_VARIANT = frozenset(range(0x80, 0xC0))
"""And the 9th."""

_AHEAD_US = 60_000_000
"""How far ahead of the clock ids are in memory: what clocks that are looked after differ by, and
more, so that their ids need no look-up."""


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
    size: int
    """Bytes of its text and details."""


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
        """The buckets' prefixes, ascending."""
        self._count = 0
        self._mark = b""
        self._horizon = b""
        """Every stored id from the mark up to here is in memory."""
        self._reading_to = b""
        """The horizon that the ids being read now will make."""
        self._refusals: OrderedDict[bytes, Refusal] = OrderedDict()
        self._refusal_bytes = 0
        self._looking: dict[bytes, list[LookUp]] = {}

    async def load(self, store: EventStore) -> None:
        """Read the newest stored ids, once, at start."""
        limit = self._limits.command_ids_in_memory_max
        self._horizon = self._reading_to = lowest_v7(self._clock.now_us())
        ids = await store.command_ids_between(b"", self._horizon, limit)
        # With fewer than the limit there is none before them either.
        self._mark = ids[-1] if len(ids) == limit else b""
        self._remember(ids)
        await self.look_ahead(store)

    async def look_ahead(self, store: EventStore) -> None:
        """Move the horizon on with the clock; for one caller, once a second or so.

        Ids that were stored before their time, because their maker's clock is ahead, are read when
        it comes. What cannot be read, or held, stays uncertain.
        """
        now_us, limit = self._clock.now_us(), self._limits.command_ids_in_memory_max
        if self._horizon >= lowest_v7(now_us + _AHEAD_US // 2):
            return
        until = self._reading_to = lowest_v7(now_us + _AHEAD_US)  # committed() keeps what comes now
        try:
            ids = await store.command_ids_between(self._horizon, until, limit)
        except StoreError:
            return
        if len(ids) == limit:
            if ids[-1] > lowest_v7(now_us):
                return
            self._mark = max(self._mark, ids[-1])  # those before it were not read
        self._remember(ids)
        if self._reading_to == until:
            self._horizon = until

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
        if not self._mark <= command_id < self._horizon or not is_v7(command_id):
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
        if self._mark <= command_id < self._reading_to and is_v7(command_id):
            self._keep(command_id[:_BUCKET_BYTES], (command_id,))
            self._drop_surplus()

    def refused(self, command_id: bytes, fingerprint: bytes, error: EngineError) -> None:
        """Remember a refusal, for a while."""
        self._forget_refusal(command_id)
        expires = self._clock.monotonic() + self._limits.refusal_window_s
        remembered = Refusal(expires, fingerprint, error.bare(), _text_bytes(error))
        self._refusals[command_id] = remembered
        self._refusal_bytes += remembered.size
        while (
            len(self._refusals) > self._limits.refusals_in_memory_max
            or self._refusal_bytes > self._limits.refusal_bytes_in_memory_max
        ):
            self._forget_refusal(next(iter(self._refusals)))

    def refusal(self, command_id: bytes) -> Refusal | None:
        """The remembered refusal of this id, if there is one; its error is the caller's own."""
        found = self._refusals.get(command_id)
        if found is None:
            return None
        if found.expires < self._clock.monotonic():
            self._forget_refusal(command_id)
            return None
        return found._replace(error=found.error.bare())

    def _forget_refusal(self, command_id: bytes) -> None:
        found = self._refusals.pop(command_id, None)
        if found is not None:
            self._refusal_bytes -= found.size

    def _remember(self, command_ids: Sequence[bytes]) -> None:
        """Of many, in their order or the reverse of it: a start brings 250,000 at once."""
        for prefix, some in groupby(_time_ordered(command_ids), itemgetter(slice(_BUCKET_BYTES))):
            self._keep(prefix, some)
        self._drop_surplus()

    def _keep(self, prefix: bytes, command_ids: Iterable[bytes]) -> None:
        bucket = self._buckets.get(prefix)
        if bucket is None:
            bucket = self._buckets[prefix] = set()
            insort(self._order, prefix)
        before = len(bucket)
        bucket.update(command_ids)
        self._count += len(bucket) - before

    def _drop_surplus(self) -> None:
        while self._count > self._limits.command_ids_in_memory_max:
            self._drop_bucket()

    def _drop_bucket(self) -> None:
        """The oldest one; but the mark never passes the present, or every fresh id would have to be
        looked up. Where all are of the future, the furthest goes, and the horizon comes nearer."""
        if self._order[0] < lowest_v7(self._clock.now_us())[:_BUCKET_BYTES]:
            dropped = self._order.pop(0)
            after = (int.from_bytes(dropped, "big") + 1).to_bytes(_BUCKET_BYTES, "big")
            self._mark = max(self._mark, after)
        else:
            dropped = self._order.pop()
            self._horizon = self._reading_to = min(self._horizon, dropped)
        self._count -= len(self._buckets.pop(dropped))


def is_v7(command_id: bytes) -> bool:
    """Whether the id is a time-ordered UUID (RFC 9562, version 7)."""
    return command_id[6] >> 4 == 7 and command_id[8] >> 6 == 2


def _time_ordered(command_ids: Sequence[bytes]) -> Iterable[bytes]:
    """Those among them that `is_v7`: mostly all, which is seen at a glance. One by one it takes as
    long as to remember them."""
    joined = b"".join(command_ids)
    usual = _VERSION_7.issuperset(joined[6::_ID_BYTES]) and _VARIANT.issuperset(
        joined[8::_ID_BYTES]
    )
    return command_ids if usual else filter(is_v7, command_ids)


def _text_bytes(error: EngineError) -> int:
    details = error.details.items() if isinstance(error, Refused) else ()
    return len(str(error)) + sum(len(name) + len(text) for name, text in details)


def lowest_v7(time_us: int) -> bytes:
    """A lower bound of all version 7 ids made at that time or later."""
    return max(0, time_us // 1_000).to_bytes(6, "big") + bytes(10)
