"""Commands that were read and have not had their turn: one queue for all streams and calls.

Reading comes first. A command that waited in a connection instead, because nobody had time to read
it, could be neither counted nor refused; so all that is there is read, and is decided in slices,
between which everyone else gets a turn. What would wait too long is refused as it comes, which
costs a tenth of deciding it.

What comes in a frame was gathered by its client. Calls of one command each are gathered here, while
so many of them are under way that more are sure to come: every commit, and every time that answers
go out, costs the same for thirty-two as for one.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, Outcome, Overloaded
from gesta.engine.faults import internal
from gesta.engine.messages import Accepted
from gesta.server.rpc.requests import Requests
from gesta.server.rpc.unread import Unread
from gesta.v1.command_service_pb2 import ExecuteRequest

SLICE_MIN, SLICE_MAX = 32, 128
"""Commands that are decided in one go before everyone else gets a turn: a quarter of what waits,
within these. A large frame taken in one go keeps all its callers in step: they decide, commit,
reply and ask one after the other, where they could overlap."""

SLICE_MS = 5
"""A slice ends after so long, however few it has: where commands take long, whoever is to be
refused must not wait for 32 of them."""

_TURNS_BETWEEN = 8
"""Turns of the loop that are left to everyone else between two slices; one with nothing to do takes
some 20 us. gRPC needs several to hand over a message or to write one: with a slice in each of them
messages come more slowly than commands are decided, and what floods the server waits unread: with
four of them a caller beside a flood waited thrice as long for its refusal, and a tenth less was
accepted."""

COMPANY = 16
"""Where fewer are unanswered, a command that comes by itself waits for no others: of sixteen
callers, a few would wait for the rest in vain."""

_LULL_MS, _GATHERING_MS = 2, 8
"""Others are waited for until none has come for the first of these times, until SLICE_MIN are
there, or for the second. gRPC takes 0.2 to 0.4 ms of the loop for each call that it takes up or
answers, so that 64 callers are never all there at once, however long they wait."""

_PACE_COMMANDS, _PACE_S = 1_024, 0.25
"""The pace is that of the last so many, or so long, and the same once more."""

_SLICE_COUNTED_S = 0.05
"""A slice counts for no longer: what lasts beyond it is hardly a command but a pause of the whole
process, after which a server would believe itself slow, and refuse what it has time for."""


class Parcel(NamedTuple):
    """What the commands of one message have in common."""

    commands: int
    bytes_each: int
    """Each one's share of the message."""
    received: float
    """By Clock.monotonic."""
    time_left_s: float | None
    """Until the call's deadline, when it was received."""
    traceparent: str


class _Waiting(NamedTuple):
    parcel: Parcel
    request: ExecuteRequest
    on_answer: Callable[[Accepted | EngineError], None]


class Intake:
    """First come, first served."""

    def __init__(self, engine: Engine, requests: Requests, unread: Unread) -> None:
        self._engine = engine
        self._requests = requests
        self._unread = unread
        self._clock = engine.clock
        self._turn_wait_ms = engine.limits.turn_wait_ms_max
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        """Of what is in it."""
        self._since: float | None = None
        """When the last slice ended, while any command waits."""
        self._decided = 0.0
        self._deciding_s = 0.0
        """How long these took, with all that was done in between."""
        self._gathering: asyncio.TimerHandle | None = None
        """While others are waited for: looks whether any came."""

    def let_in(
        self, commands: int, size: int, time_left_s: float | None = None, traceparent: str = ""
    ) -> Parcel:
        """Room for a message with so many commands, and for the last two of its call. Raises
        Overloaded: they would wait too long, or too much waits.

        Until a command is `put` it counts for nothing: that of a stream waits until there is room
        for its result, and a client who reads no answers must not fill the queue of all others.
        """
        limits, engine = self._engine.limits, self._engine.commands
        if len(self._queue) + engine.waiting >= limits.commands_waiting_max:
            raise Overloaded("commands_waiting_max", self._turn_wait_ms)
        if self._bytes and self._bytes + size > limits.bytes_waiting_max:
            raise Overloaded("bytes_waiting_max", self._turn_wait_ms)
        if 1_000 * len(self._queue) * self._deciding_s > self._turn_wait_ms * self._decided:
            raise Overloaded("turn_wait_ms_max", self._turn_wait_ms)
        share = size // max(commands, 1)
        return Parcel(commands, share, self._clock.monotonic(), time_left_s, traceparent)

    def put(
        self,
        parcel: Parcel,
        request: ExecuteRequest,
        on_answer: Callable[[Accepted | EngineError], None],
    ) -> None:
        """Have a command of the parcel decided in its turn. Never raises."""
        self._queue.append(_Waiting(parcel, request, on_answer))
        self._bytes += parcel.bytes_each
        if self._since is None:
            self._since = self._clock.monotonic()
            if parcel.commands == 1 and self._engine.commands.waiting >= COMPANY:
                self._gather()
            else:
                asyncio.get_running_loop().call_soon(self._decide_slice)
        elif self._gathering and (parcel.commands > 1 or len(self._queue) >= SLICE_MIN):
            self._gathered()

    def _gather(self) -> None:
        """Wait for others."""
        loop = asyncio.get_running_loop()
        self._gathering = loop.call_later(_LULL_MS / 1_000, self._look_again, len(self._queue))

    def _look_again(self, had: int) -> None:
        """Wait on, unless none has come since there were so many, or it is long enough."""
        assert self._since is not None
        waited_ms = 1_000 * (self._clock.monotonic() - self._since)
        if len(self._queue) == had or waited_ms >= _GATHERING_MS:
            self._gathered()
        else:
            self._gather()

    def _gathered(self) -> None:
        """Decide what is there. The time until now says nothing of the pace."""
        assert self._gathering is not None
        self._gathering.cancel()
        self._gathering = None
        self._since = self._clock.monotonic()
        asyncio.get_running_loop().call_soon(self._decide_slice)

    def _decide_slice(self) -> None:
        assert self._since is not None
        queue, clock = self._queue, self._clock
        most = max(SLICE_MIN, min(SLICE_MAX, len(queue) // 4))
        now = clock.monotonic()
        end, decided = now + SLICE_MS / 1_000, 0
        try:
            while queue and decided < most and now < end:
                decided += 1
                self._decide(queue.popleft(), now)
                now = clock.monotonic()
        finally:  # whatever goes wrong with one, those behind it have their turn
            self._go_on(decided, now)

    def _go_on(self, decided: int, now: float) -> None:
        """Note the pace, and see that the next slice comes."""
        assert self._since is not None
        queue = self._queue
        self._deciding_s += min(now - self._since, _SLICE_COUNTED_S)
        self._decided += decided
        if self._decided > 2 * _PACE_COMMANDS or self._deciding_s > 2 * _PACE_S:
            self._decided /= 2
            self._deciding_s /= 2
        self._since = now if queue else None
        if queue:
            self._leave_turns(_TURNS_BETWEEN)

    def _leave_turns(self, turns: int) -> None:
        """Decide the next slice after so many turns of the loop."""
        loop = asyncio.get_running_loop()
        if turns:
            loop.call_soon(self._leave_turns, turns - 1)
        else:
            loop.call_soon(self._decide_slice)

    def _decide(self, waiting: _Waiting, now: float) -> None:
        parcel, request, on_answer = waiting
        self._bytes -= parcel.bytes_each
        try:
            self._unread.check()
            command = self._requests.command(
                request, on_answer, parcel.time_left_s, parcel.traceparent, now - parcel.received
            )
        except EngineError as error:
            on_answer(error)
        except Exception as error:  # whoever waits must be told of a bug too
            on_answer(internal("taking a command in", error, Outcome.NOT_DONE))
        else:
            self._engine.commands.execute(command)
