"""From a subscription to whole commands."""

import asyncio
from typing import NamedTuple

from gesta.client import Event, Subscription


class WholeBatch(NamedTuple):
    """Events that end with a command, or none but progress; and the token that covers them."""

    events: list[Event]
    token: str
    position: int


class Intake:
    """Hands out one batch after the other, to one task. A call that is cancelled loses nothing."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._part: list[Event] = []
        """Of a command that is larger than a frame, and goes on in the next."""

    @property
    def caught_up(self) -> bool:
        """Whether everything that was in the log when the last batch was sent is handed out."""
        return self._subscription.caught_up

    async def next(self) -> WholeBatch:
        """Waits for it, for as long as it takes."""
        while True:
            batch = await self._subscription.next_batch()
            self._part += batch.events
            if batch.checkpoint is not None:
                events, self._part = self._part, []
                return WholeBatch(events, batch.checkpoint, batch.position)

    async def next_before(self, deadline: float) -> WholeBatch | None:
        """None: it did not come by then, in the loop's time."""
        try:
            async with asyncio.timeout_at(deadline):
                return await self.next()
        except TimeoutError:
            return None
