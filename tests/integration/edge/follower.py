"""A reader of one Subscribe that holds every frame against the contract as it comes."""

from collections.abc import AsyncIterator

from tests.integration.edge.caller import TIMEOUT_S, Caller

from gesta.v1.event_pb2 import EventFilter, RecordedEvent
from gesta.v1.event_service_pb2 import SubscribeRequest, SubscribeResponse

FRAME_BYTES_MAX = 65_536


class Follower:
    """`token` and `position`: how far it has come, as the server has told. Cancel it at the end."""

    def __init__(
        self,
        caller: Caller,
        *,
        after_token: str | None = None,
        from_now: bool = False,
        wanted: EventFilter | None = None,
        heartbeat_s: int | None = None,
    ) -> None:
        request = SubscribeRequest(after_token=after_token, filter=wanted, heartbeat_s=heartbeat_s)
        if from_now:
            request.from_now = True
        self._gapless = not request.filter.items
        self._call = caller.events.Subscribe(request, timeout=TIMEOUT_S)
        self._frames: AsyncIterator[SubscribeResponse] = aiter(self._call)
        self.token = ""
        self.position = -1
        self.events: list[RecordedEvent] = []
        self.said: list[str] = []
        """The kinds of all frames."""
        self.parted = 0
        """Batches that end inside a command."""

    async def next(self) -> SubscribeResponse:
        """The next frame, checked. StopAsyncIteration at the end of the stream."""
        frame = await anext(self._frames)
        kind = frame.WhichOneof("frame")
        assert kind is not None
        assert (kind == "started") == (not self.said), "started is first, and only then"
        self.said.append(kind)
        self._check_size(frame)
        match kind:
            case "started":
                self._move(frame.started.token, frame.started.position)
            case "batch":
                self._take(frame)
            case "checkpoint":
                self._move(frame.checkpoint.token, frame.checkpoint.position)
            case "caught_up":
                self._move(frame.caught_up.token, frame.caught_up.position)
        return frame

    async def until(self, position: int) -> list[RecordedEvent]:
        """All events so far, once the server has told of this position."""
        while self.position < position:
            await self.next()
        return self.events

    async def until_it_says(self, kind: str) -> SubscribeResponse:
        """The next frame of this kind."""
        while (frame := await self.next()).WhichOneof("frame") != kind:
            pass
        return frame

    def cancel(self) -> None:
        self._call.cancel()

    def _move(self, token: str, position: int) -> None:
        assert token
        assert position >= self.position
        self.token, self.position = token, position

    def _take(self, frame: SubscribeResponse) -> None:
        events = frame.batch.events
        assert events
        for event in events:
            last = self.events[-1].position if self.events else self.position
            assert event.position == last + 1 if self._gapless else event.position > last
            self.events.append(event)
        self.position = events[-1].position
        self.parted += events[-1].more_in_command
        if self._gapless:
            assert bool(frame.batch.checkpoint) != events[-1].more_in_command
        if frame.batch.checkpoint:
            self.token = frame.batch.checkpoint

    def _check_size(self, frame: SubscribeResponse) -> None:
        assert frame.ByteSize() <= FRAME_BYTES_MAX or len(frame.batch.events) == 1
