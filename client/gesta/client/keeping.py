"""Snapshots of a client's own: states of aggregates that a repository loaded, kept to load sooner.

A repository believes one only if the log still has, at its version, the event it was taken after,
and if the code that folded it is today's. So whatever a keeper loses, mixes up or keeps too long
costs time and never an answer.
"""

from collections import OrderedDict
from typing import NamedTuple, Protocol
from uuid import UUID


class Kept(NamedTuple):
    """A state, as JSON, and what it rests on."""

    version: int
    event_id: UUID
    """Of the event at that version: unique in all logs, for ever."""
    fingerprint: bytes
    """16 bytes: the code that folded it."""
    state: bytes


class Keeper(Protocol):
    """Where a repository keeps snapshots: memory, a cache server, a table. It may forget any."""

    async def get(self, aggregate_type: str, aggregate_id: str) -> Kept | None:
        """The last one put, if it is still there. What it raises is raised to who loads."""

    async def put(self, aggregate_type: str, aggregate_id: str, kept: Kept) -> None:
        """Keep this one, instead of any other of the aggregate."""


class MemoryKeeper:
    """In this process; beyond `snapshots_max` the one goes that was not used for longest."""

    def __init__(self, snapshots_max: int = 10_000) -> None:
        if snapshots_max < 1:
            raise ValueError(f"snapshots_max must be 1 or more, not {snapshots_max}")
        self._snapshots_max = snapshots_max
        self._kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    async def get(self, aggregate_type: str, aggregate_id: str) -> Kept | None:
        found = self._kept.get((aggregate_type, aggregate_id))
        if found is not None:
            self._kept.move_to_end((aggregate_type, aggregate_id))
        return found

    async def put(self, aggregate_type: str, aggregate_id: str, kept: Kept) -> None:
        self._kept[aggregate_type, aggregate_id] = kept
        self._kept.move_to_end((aggregate_type, aggregate_id))
        if len(self._kept) > self._snapshots_max:
            self._kept.popitem(last=False)
