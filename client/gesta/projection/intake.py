"""From a subscription to what is projected in one transaction: whole commands, as many as pay."""

import asyncio
from typing import NamedTuple

from gesta.client import Batch, Event, Subscription
from gesta.projection.limits import TransactionLimits


class WholeBatch(NamedTuple):
    """Events that end with a command, or none; and the token that covers them."""

    events: list[Event]
    token: str
    position: int


class Chunk(NamedTuple):
    """Batches for one transaction, one at least."""

    batches: list[WholeBatch]
    caught_up: bool
    """Nothing more was in the log when the last of them was sent."""


class Intake:
    """Reads one chunk after the other, from one task. A `next` that is cancelled loses nothing."""

    def __init__(self, subscription: Subscription, limits: TransactionLimits) -> None:
        self._subscription = subscription
        self._limits = limits
        self._gathered: list[WholeBatch] = []
        self._part: list[Event] = []
        """Of a command that is larger than a frame, and goes on in the next."""

    async def next(self) -> Chunk:
        """While catching up, as much as the limits allow; then each batch, at once."""
        loop = asyncio.get_running_loop()
        gathered = self._gathered
        if not gathered:
            gathered.append(await self._whole_batch())
        deadline = loop.time() + self._limits.wait_ms_max / 1000
        while not self._subscription.caught_up and self._has_room():
            try:
                async with asyncio.timeout_at(deadline):
                    gathered.append(await self._whole_batch())
            except TimeoutError:
                break
        self._gathered = []
        return Chunk(gathered, self._subscription.caught_up)

    def _has_room(self) -> bool:
        events = sum(len(batch.events) for batch in self._gathered)
        size = sum(len(event.message.data) for batch in self._gathered for event in batch.events)
        return events < self._limits.events_max and size < self._limits.bytes_max

    async def _whole_batch(self) -> WholeBatch:
        while True:
            batch: Batch = await self._subscription.next_batch()
            self._part += batch.events
            if batch.checkpoint is not None:
                events, self._part = self._part, []
                return WholeBatch(events, batch.checkpoint, batch.position)
