"""Whoever waits for something to happen, but not for ever.

A thousand subscribers wait anew after every event. A timer for each, made and cancelled each time,
was nearly a tenth of what the event loop did for them, so one timer looks after all of them.
"""

import asyncio

_APART_S = 0.1
"""How far apart the timer looks, at least: nobody waits longer than asked for by more than this."""


class Waiters:
    """Of one event loop. Waking is for all; what it was about, each has to look at."""

    def __init__(self) -> None:
        self._until: dict[asyncio.Future[None], float] = {}
        """By the loop's time."""
        self._timer: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """End every wait that is under way. One that begins afterwards is not concerned."""
        woken, self._until = self._until, {}
        for future in woken:
            _end(future)

    async def wait(self, timeout_s: float) -> None:
        """Returns when woken, or else after that long and at most a tenth of a second more."""
        loop = asyncio.get_running_loop()
        future = loop.create_future()
        until = self._until[future] = loop.time() + timeout_s
        if self._timer is None or until + _APART_S < self._timer.when():
            self._look_at(until)
        try:
            await future
        finally:
            self._until.pop(future, None)

    def _look_at(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(when, self._look)

    def _look(self) -> None:
        """Let those go whose time is over, and look again when the next one's is."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        for future, until in self._until.items():
            if until <= now:
                _end(future)
        later = [until for until in self._until.values() if until > now]
        if later:
            self._look_at(max(min(later), now + _APART_S))


def _end(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
