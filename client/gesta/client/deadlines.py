"""One timer for all commands that wait."""

import asyncio
from collections.abc import Callable, Iterable

from gesta.client.command_queue import Waiting

APART_S = 0.02
"""Between two looks at all that wait, so a command may expire that much late. A server that hangs
leaves thousands waiting, each with a deadline of its own."""


class Deadlines:
    """Expires commands on time, for 0.1 µs each instead of the 3 µs of a timer each.

    The timer is set for the earliest deadline ever watched. When it fires, all that wait are looked
    at and it is set for the earliest of those: about once per timeout, not per command.
    """

    def __init__(self, waiting: Callable[[], Iterable[Waiting]]) -> None:
        self._waiting = waiting
        self._soonest = 0.0
        """No look before this time."""
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, deadline: float) -> None:
        """Call for every command that begins to wait."""
        when = max(deadline, self._soonest)
        if self._timer is None or when < self._next:
            self.stop()
            self._next = when
            self._timer = asyncio.get_running_loop().call_at(when, self._expire)

    def stop(self) -> None:
        """No command expires any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        due = max(self._next, asyncio.get_running_loop().time())  # timers may be a tick early
        self._soonest = due + APART_S
        later: list[float] = []
        for each in self._waiting():
            if not each.answer.done():
                deadline = each.attempts.deadline
                if deadline <= due:
                    each.expire()
                else:
                    later.append(deadline)
        if later:
            self.watch(min(later))
