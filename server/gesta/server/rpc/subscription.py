"""One Subscribe: a cursor's chunks as frames, and the frames in between.

Nothing is queued here. Each write waits until the client has taken what came before, as far as
HTTP/2 lets one know, and then the cursor is asked for what comes next.
"""

from gesta.engine.chunks import Chunk
from gesta.engine.engine import Engine
from gesta.engine.feed import Cursor
from gesta.server.rpc.guard import Context, write
from gesta.server.wire import message_field, text_field
from gesta.v1.event_service_pb2 import (
    CaughtUp,
    Checkpoint,
    Draining,
    FellBehind,
    Heartbeat,
    SubscribeResponse,
    SubscriptionStarted,
)

_PROGRESS_EVERY_S = 1.0
"""How soon a reader hears that events were passed over, when nothing else comes. It is its sign of
life while others are written to all the time."""

_PROGRESS_EVERY_EVENTS = 10_000
"""How many may be passed over without a word while the cursor is catching up."""


class Subscription:
    """Runs until the client goes or the server stops."""

    def __init__(self, engine: Engine, cursor: Cursor, heartbeat_s: int, context: Context) -> None:
        self._engine = engine
        self._feed = engine.feed
        self._mint = engine.tokens.mint
        self._cursor = cursor
        self._heartbeat_s = heartbeat_s
        self._context = context
        self._told = cursor.position
        """The position the client has heard of."""
        self._told_at = 0.0
        """When the client was sent something last, by Clock.monotonic."""
        self._live = False

    async def run(self) -> None:
        started = SubscriptionStarted(token=self._mint(self._told), position=self._told)
        await self._send(SubscribeResponse(started=started))
        while not self._engine.draining:
            self._engine.check_readable()
            if self._cursor.position < self._feed.head:
                await self._deliver()
            else:
                await self._wait()
        await self._send(SubscribeResponse(draining=Draining()))

    async def _deliver(self) -> None:
        """Send the next chunk, if there is something in it."""
        if self._live and self._cursor.behind_tail:
            self._live = False
            position = self._cursor.position
            frame = SubscribeResponse(
                fell_behind=FellBehind(position=position, head=self._feed.head)
            )
            await self._send(frame)
        chunk = await self._cursor.read()
        if chunk.events:
            if chunk.frame is None:
                chunk.frame = self._framed(chunk)
            await self._write(chunk.frame)
            self._told = chunk.position
        elif (
            chunk.position - self._told >= _PROGRESS_EVERY_EVENTS
            or self._engine.clock.monotonic() - self._told_at >= _PROGRESS_EVERY_S
        ):
            await self._tell_progress()

    def _framed(self, chunk: Chunk) -> bytes:
        """The same for every subscriber: chunks are shared, and the frame with them."""
        checkpoint = text_field(2, self._mint(chunk.position)) if chunk.ends_command else b""
        return message_field(2, b"".join((*chunk.events, checkpoint)))

    async def _wait(self) -> None:
        """At the head: say so once, then wait for more, with a sign of life now and then."""
        if not self._live:
            self._live = True
            position = self._told = self._cursor.position
            caught_up = CaughtUp(token=self._mint(position), position=position)
            await self._send(SubscribeResponse(caught_up=caught_up))
            return
        passed_over = self._cursor.position > self._told
        timeout_s = _PROGRESS_EVERY_S if passed_over else self._heartbeat_s
        if await self._feed.wait_beyond(self._cursor.position, timeout_s):
            return
        if passed_over:
            await self._tell_progress()
        elif not self._engine.draining:
            await self._send(SubscribeResponse(heartbeat=Heartbeat(head=self._feed.head)))

    async def _tell_progress(self) -> None:
        position = self._told = self._cursor.position
        checkpoint = Checkpoint(token=self._mint(position), position=position)
        await self._send(SubscribeResponse(checkpoint=checkpoint))

    async def _send(self, frame: SubscribeResponse) -> None:
        await self._write(frame.SerializeToString())

    async def _write(self, frame: bytes) -> None:
        await write(self._context, frame)
        self._told_at = self._engine.clock.monotonic()
