"""The port that every index of events implements: where in the log a type, or a correlation, is.

An index is filled behind the head, from the log, and can be lost at any time: a reader scans what
is not in it. It therefore never raises for anything that can happen to its file, and every answer
says how far it goes. The same contract tests run over every implementation: `tests/contract/`.
"""

from collections.abc import Collection, Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import NamedTuple, Protocol
from uuid import UUID

from gesta.store.port import EventRecord, EventStore, LogInfo

PAGE_EVENTS = 1_000
"""So many events go into an index at once: some milliseconds of its thread, during which reads of
the index wait."""

_PAGE_BYTES = 8 << 20


class Found(NamedTuple):
    """All positions with after < position <= until that were asked for, and no others."""

    positions: list[int]
    after: int
    until: int


class EventIndex(Protocol):
    """Knows the events of one log up to a position. `open` comes first and once, `close` last.

    One `add` at a time; reads may run beside it.
    """

    @property
    def indexed_up_to(self) -> int:
        """The last position it knows. Falls to 0 when the index has to be begun anew."""

    async def open(self, log: LogInfo, store: EventStore) -> None:
        """What is kept of another history than that of the log, which is open, is dropped."""

    async def add(self, events: Sequence[EventRecord]) -> int:
        """Learn the events, which follow `indexed_up_to` without a gap; its new value.

        It stays where it was for events that do not follow, and where there is no room.
        """

    async def positions_of_type(
        self,
        event_types: Collection[str],
        after: int,
        until: int,
        limit: int,
        *,
        backwards: bool = False,
    ) -> Found:
        """Events of any of the types with after < position <= until: the first `limit` ascending,
        or the last `limit` descending.

        The answer is for the part of that stretch which begins (or, backwards, ends) where the
        stretch does and ends (begins) where `limit` did, or the index. What lies beyond the index
        is not in it: backwards it ends with `indexed_up_to` at most. Without any answer the part is
        empty: `after` is `until`.
        """

    async def positions_of_correlation(self, correlation_id: str, after: int, limit: int) -> Found:
        """The first `limit` events of a correlation with position > after, ascending.

        An event without a correlation belongs to the one that is named like its command id, which
        is written as UUIDs are: lower case, with hyphens.
        """

    async def begin_anew(self) -> None:
        """Forget everything: for a reader to whom the log said otherwise."""

    async def close(self) -> None:
        """Release everything. Idempotent; never raises."""

    def abandon(self) -> None:
        """Release threads at once and synchronously, for a process that is failing. Idempotent."""


async def index_up_to(index: EventIndex, store: EventStore, head: int) -> int:
    """Have the index learn what it does not know, up to a head; how far it then goes.

    That is less than `head` where it takes no more, and may be tried again later. Raises what
    `EventStore.read_log` raises.
    """
    while (before := index.indexed_up_to) < head:
        events = await store.read_log(before, head, PAGE_EVENTS, _PAGE_BYTES)
        if await index.add(events) <= before:
            break
    return index.indexed_up_to


def found(
    positions: Iterable[int], after: int, until: int, limit: int, *, backwards: bool = False
) -> Found:
    """The answer for a stretch, with the first of its positions, in the order they are given."""
    if after >= until or limit < 1:
        return Found([], after, after)
    first = list(islice(positions, limit))
    if len(first) < limit:
        return Found(first, after, until)
    return Found(first, first[-1] - 1, until) if backwards else Found(first, after, first[-1])


def correlation_key(correlation_id: str) -> bytes:
    """16 bytes that stand for a correlation: those of the UUID that it names, or a hash."""
    try:
        named = UUID(correlation_id)
    except ValueError:
        named = None
    if named is not None and str(named) == correlation_id:
        return named.bytes
    return blake2b(correlation_id.encode(), digest_size=16).digest()


def key_of(event: EventRecord) -> bytes:
    """The key of the correlation that an event belongs to."""
    return correlation_key(event.correlation_id) if event.correlation_id else event.command_id
