"""Commands that wait to be sent, and the frames made of them."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy

from gesta.client.attempts import Attempts
from gesta.client.errors import ClientClosed, GestaError
from gesta.client.options import FRAME_BYTES_MAX, FRAME_COMMANDS_MAX
from gesta.client.wire import encode_timeout, frame_part
from gesta.v1.command_service_pb2 import ExecuteResponse


class Waiting:
    """A command whose caller waits on `answer`, over all attempts. A caller that leaves cancels
    it."""

    __slots__ = ("answer", "attempts", "command", "sent", "timeout")

    def __init__(
        self,
        command: bytes,
        timeout: bytes,
        answer: asyncio.Future[ExecuteResponse],
        attempts: Attempts,
    ) -> None:
        self.command = command
        self.timeout = timeout
        self.answer = answer
        self.attempts = attempts
        self.sent = False
        """In a frame, and not answered yet."""

    def again(self) -> None:
        """Before it is sent once more."""
        self.sent = False
        # The server must not decide it after its caller has stopped waiting.
        left_s = self.attempts.deadline - self.answer.get_loop().time()
        self.timeout = encode_timeout(round(max(left_s, 0.001), 3))

    def fail(self, error: GestaError) -> None:
        """The caller sees what is known of all attempts; see Attempts.final."""
        if not self.answer.done():
            self.answer.set_exception(self.attempts.final(error))
            # Looked at, so that a caller cancelled in this very step leaves no complaint behind.
            self.answer.exception()

    def expire(self) -> None:
        """The time is up."""
        self.fail(self.attempts.out_of_time(self.sent))

    def close(self) -> None:
        """Answers with what is known when no answer will be waited for any more."""
        self.fail(self.attempts.closed(self.sent))


class CommandQueue:
    """In the order of the calls. Everything here happens on one loop and never awaits."""

    def __init__(self) -> None:
        self._waiting: deque[Waiting] = deque()
        self.closed = False
        self.changed = asyncio.Event()
        """Set by whatever may let a writer go on."""

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    def put(self, waiting: Waiting) -> None:
        """Raises ClientClosed."""
        if self.closed:
            raise ClientClosed("the client is closed")
        self._waiting.append(waiting)
        if len(self._waiting) == 1:  # else the writer is at work, or waits for room
            self.changed.set()

    def put_back(self, unanswered: Iterable[Waiting]) -> None:
        """What a broken stream left unanswered, oldest first, goes before all others."""
        kept = [each for each in unanswered if not each.answer.done()]
        for each in kept:
            each.attempts.in_doubt = True
            each.again()
        self._waiting.extendleft(reversed(kept))

    def next_frame(self, room: int, number: int, unanswered: dict[int, Waiting]) -> bytes:
        """Moves up to `room` commands into a frame and into `unanswered`, by number from `number`.

        Empty where there is nothing to send. Callers that have left are passed over.
        """
        parts: list[bytes] = []
        size = 0
        most = min(room, FRAME_COMMANDS_MAX)
        waiting = self._waiting
        while waiting and len(parts) < most:
            first = waiting[0]
            if first.answer.done():
                waiting.popleft()
                continue
            part = frame_part(first.command, first.timeout)
            size += len(part)
            if parts and size > FRAME_BYTES_MAX:
                break
            waiting.popleft()
            first.sent = True
            unanswered[number + len(parts)] = first
            parts.append(part)
        return b"".join(parts)

    def count_failure(self, error: GestaError, hopeless: bool) -> None:
        """No stream could be opened: one attempt less for each. Those without any left fail."""
        kept: deque[Waiting] = deque()
        for each in self._waiting:
            if each.attempts.another(hopeless):
                kept.append(each)
            else:
                each.fail(copy(error))  # raised in its own task, with its own traceback
        self._waiting = kept

    def answer_all(self) -> None:
        """With what is known when no stream will take them."""
        while self._waiting:
            self._waiting.popleft().close()

    def close(self) -> None:
        """Nothing can be put any more; what waits is answered."""
        self.closed = True
        self.answer_all()
        self.changed.set()
