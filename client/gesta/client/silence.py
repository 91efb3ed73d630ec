"""A peer that says nothing for too long."""

import asyncio
from collections.abc import Callable


class Silence:
    """Calls `broken` once when somebody has listened for `seconds_max` and heard nothing.

    One timer looks from time to time; one for each frame would cost a subscriber 2.5 µs each.
    """

    def __init__(self, seconds_max: float, broken: Callable[[], object]) -> None:
        self._seconds_max = seconds_max
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._since: float | None = None
        """By the loop's time; None: nobody listens."""
        self._timer = self._loop.call_later(seconds_max, self._look)

    def listen(self) -> None:
        """It counts from now on."""
        self._since = self._loop.time()

    def heard(self) -> None:
        """It counts no more, until somebody listens again."""
        self._since = None

    def stop(self) -> None:
        """Whoever made this calls it, or the timer goes on."""
        self._timer.cancel()

    def _look(self) -> None:
        now = self._loop.time()
        since = now if self._since is None else self._since
        left_s = since + self._seconds_max - now
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._look)
        else:
            self._broken()
