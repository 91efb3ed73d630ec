"""Projections: how far they have come, as they report it, and whoever waits for them.

Reports are kept in memory only: after a start nothing is known of a projection until it reports
again. Nothing here ever fails a wait. It ends with the names of those that are not there yet, and
that a command was committed is told all the same.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

from gesta.engine.errors import CorruptEvent, Overloaded, SessionSuperseded, StorageUnavailable
from gesta.engine.feed import Feed
from gesta.engine.limits import Limits
from gesta.engine.log_time import LogTime
from gesta.engine.ports import Clock
from gesta.store.port import CorruptLog, EventStore, StorageFailed

OnEnd = Callable[[tuple[str, ...]], None]
"""Told once of a wait's end: the names that are still pending. Must not raise."""


class Standing(NamedTuple):
    """What is known of one projection."""

    name: str
    session: bytes
    position: int
    """Everything up to here is stored."""
    lag_events: int
    lag_us: int
    """How long ago the first event after the position was committed; 0 where there is none."""
    heard_at_us: int
    silent: bool


@dataclass(slots=True, eq=False)
class _Heard:
    """The last report of a projection."""

    session: bytes
    position: int
    at: float
    """By Clock.monotonic."""
    at_us: int


class Wait:
    """A wait under way. `cancel` it when nobody is interested any more."""

    __slots__ = ("_end", "awaited", "on_end", "pending", "position", "size", "timer")

    def __init__(
        self,
        pending: Iterable[str],
        awaited: Iterable[str],
        position: int,
        size: int,
        on_end: OnEnd,
        end: Callable[["Wait"], None],
    ) -> None:
        self.pending = dict.fromkeys(pending)
        """Names, in the order asked."""
        self.awaited = set(awaited)
        """Those of them for which it goes on."""
        self.position = position
        self.size = size
        self.on_end = on_end
        self._end = end
        self.timer: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        """End it at once, and tell nobody. Without effect on one that has ended."""
        self.on_end = _nobody
        self._end(self)


class Projections:
    """The reports, and the waits for them. Every method but `standings` is one step."""

    def __init__(
        self, store: EventStore, feed: Feed, time: LogTime, clock: Clock, limits: Limits
    ) -> None:
        self._store = store
        self._feed = feed
        self._time = time
        self._clock = clock
        self._limits = limits
        self._heard: dict[str, _Heard] = {}
        self._waits: dict[Wait, None] = {}
        self._waiting: dict[str, dict[Wait, None]] = {}
        """The same by name. Dicts, because a set would answer in any order."""
        self._bytes = 0
        self._draining = False

    def report(self, name: str, session: bytes, position: int) -> None:
        """Note that a projection has stored everything up to the position; end waits for that.

        Of two sessions the newer one counts, and may begin further back. Raises SessionSuperseded
        for the older one until the newer one is silent, and Overloaded where there is no room.
        """
        now = self._clock.monotonic()
        last = self._heard.get(name)
        if last is None:
            self._make_room(now)
        elif session < last.session and not self._silent(last, now):
            raise SessionSuperseded(name, last.session)
        elif session == last.session:
            position = max(position, last.position)
        self._heard[name] = _Heard(session, position, now, self._clock.now_us())
        for wait in [each for each in self._waiting.get(name, ()) if each.position <= position]:
            self._forget(name, wait)
            del wait.pending[name]
            wait.awaited.discard(name)
            if not wait.awaited:
                self._end(wait)

    def pending(self, names: Iterable[str], position: int) -> tuple[str, ...]:
        """Those that are not known to have come as far."""
        heard = self._heard
        return tuple(name for name in names if name not in heard or heard[name].position < position)

    def wait(
        self,
        names: Iterable[str],
        position: int,
        timeout_s: float,
        on_end: OnEnd,
        *,
        size: int = 0,
    ) -> Wait | None:
        """Call `on_end` when all are there, the time is up, or the server stops.

        That may be at once, and then None is returned: where there is no time or no room to wait,
        and where only such are pending as have fallen silent. Nobody is held up by a projection
        that has died; one that was never heard of may be about to report. `size`: bytes held.
        """
        pending = self.pending(names, position)
        now = self._clock.monotonic()
        awaited = [
            n for n in pending if n not in self._heard or not self._silent(self._heard[n], now)
        ]
        if not awaited or timeout_s <= 0 or self._draining or self.full:
            on_end(pending)
            return None
        wait = Wait(pending, awaited, position, size, on_end, self._end)
        wait.timer = asyncio.get_running_loop().call_later(timeout_s, self._end, wait)
        self._waits[wait] = None
        self._bytes += size
        for name in pending:
            self._waiting.setdefault(name, {})[wait] = None
        return wait

    @property
    def full(self) -> bool:
        """Whether no more can wait."""
        return (
            len(self._waits) >= self._limits.projection_waits_max
            or self._bytes >= self._limits.projection_waits_bytes_max
        )

    def drain(self) -> None:
        """End every wait, and from now on each as it begins."""
        self._draining = True
        for wait in list(self._waits):
            self._end(wait)

    async def standings(self) -> tuple[list[Standing], int]:
        """What is known of each, by name; and the head that it is compared with.

        Raises CorruptEvent or StorageUnavailable.
        """
        head, now = self._feed.head, self._clock.monotonic()
        heard = sorted(self._heard.items(), key=lambda item: item[0].encode())
        since = {each.position: 0 for _, each in heard}
        for position in since:
            if position < head:
                committed_us = await self._commit_time_us(position + 1)
                since[position] = max(self._time.now_us() - committed_us, 0)
        found = [
            Standing(
                name,
                each.session,
                each.position,
                head - each.position,
                since[each.position],
                each.at_us,
                self._silent(each, now),
            )
            for name, each in heard
        ]
        return found, head

    async def _commit_time_us(self, position: int) -> int:
        try:
            (record,) = await self._store.read_log(position - 1, position, 1, 1)
        except CorruptLog as error:
            raise CorruptEvent(error.position) from error
        except StorageFailed as error:
            raise StorageUnavailable from error
        return record.commit_time_us

    def _silent(self, heard: _Heard, now: float) -> bool:
        return (now - heard.at) * 1_000 >= self._limits.projection_silent_ms

    def _make_room(self, now: float) -> None:
        """For one more name."""
        if len(self._heard) < self._limits.projections_max:
            return
        longest = min(self._heard, key=lambda name: self._heard[name].at)
        if not self._silent(self._heard[longest], now):
            raise Overloaded("projections_max", 1_000)
        del self._heard[longest]

    def _end(self, wait: Wait) -> None:
        if wait.timer is None:
            return
        wait.timer.cancel()
        wait.timer = None
        self._bytes -= wait.size
        del self._waits[wait]
        for name in wait.pending:
            self._forget(name, wait)
        wait.on_end(tuple(wait.pending))

    def _forget(self, name: str, wait: Wait) -> None:
        waiting = self._waiting[name]
        del waiting[wait]
        if not waiting:
            del self._waiting[name]


def _nobody(pending: tuple[str, ...]) -> None:
    """Who is told of a wait that was cancelled."""
