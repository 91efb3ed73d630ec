"""Following the log: every matching event after a token, then each new one as it is committed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import NamedTuple, Self

from gesta.client.connection import Connection
from gesta.client.errors import ClientClosed, GestaError
from gesta.client.event import Event
from gesta.client.filters import Where, to_filter
from gesta.client.follower import Follower
from gesta.v1.event_service_pb2 import EventBatch, SubscribeRequest, SubscribeResponse


class Batch(NamedTuple):
    """Events that came together, and the token to resume after them.

    `checkpoint` is None only while the last event's command goes on in the next batch. `events` is
    empty where there is nothing but progress: over what the filter passed over, or to the head.
    """

    events: list[Event]
    checkpoint: str | None
    position: int
    """The last one that is known to be covered: the last event's, or, without events, the
    checkpoint's. Behind a filter the checkpoint of events may cover a few more."""


class Subscription:
    """Use it as a context manager; entering returns once the server has accepted.

    It reconnects by itself, from its last checkpoint, and delivers no event twice. It ends with an
    error that will not pass, such as LogRestored, or with ClientClosed. Iterate over it for events
    or over `batches()`, from one task. An iteration may be left, or cancelled by a timeout, and
    taken up again; nothing is lost.
    """

    def __init__(
        self,
        connection: Connection,
        request: SubscribeRequest,
        frames_ahead_max: int,
        closed: Callable[["Subscription"], object],
    ) -> None:
        if frames_ahead_max < 1:  # or the queue would have no end
            raise ValueError(f"frames_ahead_max must be 1 or more, not {frames_ahead_max}")
        self._follower = Follower(connection, request, frames_ahead_max)
        self._closed = closed
        self._in_hand: list[Event] = []
        """Of the batch being handed out one by one, the last first."""
        self._next_token: str | None = None
        """The checkpoint of that batch."""
        self._last_position = 0
        self._caught_up = asyncio.Event()
        self.token: str | None = request.after_token or None
        """The last checkpoint, always at the end of a command. It covers nothing that was not
        handed out. Where events are taken one by one, it moves only with the last of a batch, that
        one included: whoever resumes there may get earlier events of that batch again. To store
        work and place together, go by `batches()`. None before the first checkpoint of a
        subscription that began without a token."""
        self.head = 0
        """The last position known to be in the log."""

    async def __aenter__(self) -> Self:
        await self._follower.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Whoever iterates gets ClientClosed."""
        await self._follower.stop(ClientClosed("the subscription was closed"))
        self._closed(self)

    @property
    def caught_up(self) -> bool:
        """Whether all that was in the log when the server said so has been handed out."""
        return self._caught_up.is_set()

    async def wait_caught_up(self) -> None:
        """Returns when `caught_up`; raises what ended the subscription before. Somebody must
        iterate meanwhile."""
        await self._follower.wait(self._caught_up)

    @property
    def last_error(self) -> GestaError | None:
        """Why the connection broke last; None while all is well."""
        return self._follower.last_error

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        in_hand = self._in_hand
        while not in_hand:
            batch = await self._receive()
            in_hand.extend(reversed(batch.events))
            self._next_token = batch.checkpoint
            if not in_hand:
                self._advance()
        event = in_hand.pop()
        if not in_hand:
            self._advance()
        return event

    async def batches(self) -> AsyncIterator[Batch]:
        """See Batch. `token` is a batch's checkpoint as soon as the batch is handed out."""
        while True:
            yield await self.next_batch()

    async def next_batch(self) -> Batch:
        """The next of `batches()`."""
        if self._in_hand:
            batch = Batch(self._in_hand[::-1], self._next_token, self._in_hand[0].position)
            self._in_hand.clear()
        else:
            batch = await self._receive()
            self._next_token = batch.checkpoint
        self._advance()
        return batch

    def _advance(self) -> None:
        self.token = self._next_token or self.token

    async def _receive(self) -> Batch:
        while True:
            batch = self._accept(await self._follower.next_frame())
            if batch is not None:
                return batch

    def _accept(self, frame: SubscribeResponse) -> Batch | None:
        """What a frame has for the caller; None: nothing."""
        kind = frame.WhichOneof("frame")
        if kind == "batch":
            return self._new_events(frame.batch)
        if kind == "started":
            self._caught_up.clear()
            self.token = self.token or frame.started.token
            self.head = max(self.head, frame.started.position)
        elif kind == "checkpoint":
            return Batch([], frame.checkpoint.token, frame.checkpoint.position)
        elif kind == "caught_up":
            self._caught_up.set()
            return Batch([], frame.caught_up.token, frame.caught_up.position)
        elif kind == "fell_behind":
            self._caught_up.clear()
            self.head = max(self.head, frame.fell_behind.head)
        elif kind == "heartbeat":
            self.head = max(self.head, frame.heartbeat.head)
        return None

    def _new_events(self, batch: EventBatch) -> Batch | None:
        events = list(map(Event, batch.events))
        known, position = self._last_position, events[-1].position
        if events[0].position <= known:
            # Resumed in a command larger than a frame, whose first frames were delivered before.
            events = [each for each in events if each.position > known]
        self._last_position = max(known, position)
        self.head = max(self.head, position)
        checkpoint = batch.checkpoint or None
        if not events and not checkpoint:
            return None
        return Batch(events, checkpoint, position)


def subscribe_request(
    after: str | None, from_now: bool, where: Where, heartbeat_s: int, as_stored: bool
) -> SubscribeRequest:
    """As sent. Raises ValueError for two places to begin."""
    if after is not None and from_now:
        raise ValueError("give after or from_now, not both")
    request = SubscribeRequest(
        after_token=after,
        filter=to_filter(where),
        heartbeat_s=heartbeat_s,
        as_stored=as_stored,
    )
    if from_now:
        request.from_now = True
    return request
