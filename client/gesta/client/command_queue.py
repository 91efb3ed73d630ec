"""Commands that wait to be sent, and the frames made of them."""

import asyncio
from collections import deque
from collections.abc import Iterable, Iterator
from copy import copy

from gesta.client.attempts import Attempts
from gesta.client.errors import ClientClosed, GestaError, Outcome, Overloaded
from gesta.client.options import FRAME_BYTES_MAX, FRAME_COMMANDS_MAX
from gesta.client.times import to_duration
from gesta.v1.command_service_pb2 import ExecuteRequest, ExecuteResponse, ExecuteStreamRequest


class Waiting:
    """A command whose caller waits on `answer`. A caller that leaves cancels it."""

    __slots__ = ("answer", "attempts", "request", "sent", "size")

    def __init__(
        self, request: ExecuteRequest, answer: asyncio.Future[ExecuteResponse], attempts: Attempts
    ) -> None:
        self.request = request
        self.answer = answer
        self.attempts = attempts
        self.size = request.ByteSize()
        self.sent = False

    def again(self, answer: asyncio.Future[ExecuteResponse]) -> None:
        """Before it is put once more; the last answer was an error."""
        self.answer = answer
        self.sent = False

    def fail(self, error: GestaError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
            # Looked at, so that a caller cancelled in this very step leaves no complaint behind.
            self.answer.exception()

    def expire(self) -> None:
        """The time is up."""
        self.fail(self.attempts.out_of_time(self.sent))

    def close(self) -> None:
        """Answers with what is known when no answer will be waited for any more."""
        unknown = self.sent or self.attempts.in_doubt
        outcome = Outcome.UNKNOWN if unknown else Outcome.NOT_DONE
        self.fail(ClientClosed("the client was closed before the answer came", outcome=outcome))


class CommandQueue:
    """In the order of the calls. Everything here happens on one loop and never awaits."""

    def __init__(self, waiting_max: int) -> None:
        self._waiting: deque[Waiting] = deque()
        self._waiting_max = waiting_max
        self.closed = False
        self.changed = asyncio.Event()
        """Set by whatever may let a writer go on."""

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[Waiting]:
        return iter(self._waiting)

    def put(self, waiting: Waiting) -> None:
        """Raises ClientClosed; Overloaded where too many wait already."""
        if self.closed:
            raise ClientClosed("the client is closed")
        if len(self._waiting) >= self._waiting_max:
            raise Overloaded(
                f"{self._waiting_max} commands wait in this client already", what="waiting_max"
            )
        self._waiting.append(waiting)
        self.changed.set()

    def put_back(self, unanswered: Iterable[Waiting]) -> None:
        """What a broken stream left unanswered, oldest first, goes before all others."""
        now = asyncio.get_running_loop().time()
        kept = [each for each in unanswered if not each.answer.done()]
        for each in kept:
            each.sent = False
            each.attempts.in_doubt = True
            # The server must not decide it after its caller has stopped waiting.
            left_s = max(each.attempts.deadline - now, 0.001)
            each.request.timeout.CopyFrom(to_duration(round(left_s, 3)))
        self._waiting.extendleft(reversed(kept))

    def next_frame(
        self, room: int, number: int, unanswered: dict[int, Waiting]
    ) -> ExecuteStreamRequest | None:
        """Moves up to `room` commands into a frame and into `unanswered`, by number from `number`.

        None where there is nothing to send. Callers that have left are passed over.
        """
        commands: list[ExecuteRequest] = []
        size = 0
        most = min(room, FRAME_COMMANDS_MAX)
        waiting = self._waiting
        while waiting and len(commands) < most:
            first = waiting[0]
            if first.answer.done():
                waiting.popleft()
                continue
            size += first.size
            if commands and size > FRAME_BYTES_MAX:
                break
            waiting.popleft()
            first.sent = True
            unanswered[number + len(commands)] = first
            commands.append(first.request)
        return ExecuteStreamRequest(commands=commands) if commands else None

    def count_failure(self, error: GestaError, hopeless: bool) -> None:
        """No stream could be opened: one attempt less for each. Those without any left fail."""
        kept: deque[Waiting] = deque()
        for each in self._waiting:
            if each.attempts.another(hopeless):
                kept.append(each)
            elif each.attempts.in_doubt:
                each.fail(each.attempts.unknown(f"an earlier stream broke, and then: {error}"))
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
