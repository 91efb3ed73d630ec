"""One live aggregate: a slotted record, with no task of its own.

`version` and `state` are tentative: they include what is decided and not committed. `gate` is the
batch that holds the last of it; None means that tentative and confirmed are the same. Reads see
the confirmed pair only.
"""

from __future__ import annotations  # a gate is a batch, and a batch holds actors

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gesta.domain.catalog import AggregateType
from gesta.engine.messages import Command
from gesta.store.port import Stream

if TYPE_CHECKING:
    from gesta.engine.batch import OpenBatch

NEVER = (1 << 63) - 1
"""The version at which an aggregate is due that is to have no snapshot."""


@dataclass(slots=True, eq=False)
class Actor:
    """The record. Only the event loop's thread touches it."""

    type: AggregateType | None
    """None for a type that is not hosted: a stream that is only appended to and read."""
    stream: Stream
    version: int = 0
    state: object = None
    confirmed_version: int = 0
    confirmed_state: object = None
    gate: OpenBatch | None = None
    mailbox: deque[Command] | None = None
    """Commands that wait for a turn; None while there are none."""
    drain: asyncio.Task[None] | None = None
    """Runs only while the mailbox has work, or while the actor is being loaded."""
    loaded: asyncio.Future[None] | None = None
    """Set while the actor is being loaded."""
    waiting: int = 0
    """Commands not answered yet."""
    pins: int = 0
    """Direct appends and reads that hold on to it."""
    snapshot_due: int = NEVER
    """The confirmed version at which the next snapshot is taken."""
    used_at: int = 0
    """The registry's tick of its last use."""

    @property
    def evictable(self) -> bool:
        """Whether forgetting it loses nothing and surprises nobody."""
        settled = self.drain is None and self.gate is None and self.loaded is None
        return settled and not (self.waiting or self.pins)

    def __str__(self) -> str:
        return f"{self.stream.aggregate_type}<{self.stream.aggregate_id}@{self.version}>"
