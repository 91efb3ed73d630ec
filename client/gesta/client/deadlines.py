"""One timer for all commands that wait."""

import asyncio
from collections.abc import Callable, Iterable

from gesta.client.command_queue import Waiting


class Deadlines:
    """Expires commands on time, for 0.1 µs each instead of the 3 µs of a timer each.

    The timer is set for the earliest deadline ever watched. When it fires, all that wait are looked
    at and it is set for the earliest of those: about once per timeout, not per command.
    """

    def __init__(self, waiting: Callable[[], Iterable[Waiting]]) -> None:
        self._waiting = waiting
        self._next = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, deadline: float) -> None:
        """Call for every command that begins to wait."""
        if self._timer is None or deadline < self._next:
            self.stop()
            self._next = deadline
            self._timer = asyncio.get_running_loop().call_at(deadline, self._expire)

    def stop(self) -> None:
        """No command expires any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        due = self._next
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
