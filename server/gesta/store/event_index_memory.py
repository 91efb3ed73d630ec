"""An index of events in memory: the reference implementation, and what a log in memory has."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Sequence
from heapq import merge

from gesta.store.event_index import Found, correlation_key, found, key_of
from gesta.store.port import EventRecord, EventStore, LogInfo


class MemoryEventIndex:
    """Lost when it is closed."""

    def __init__(self) -> None:
        self._indexed_up_to = 0
        self._of_type: defaultdict[str, list[int]] = defaultdict(list)
        self._of_correlation: defaultdict[bytes, list[int]] = defaultdict(list)

    @property
    def indexed_up_to(self) -> int:
        return self._indexed_up_to

    async def open(self, log: LogInfo, store: EventStore) -> None:
        self._forget()

    async def add(self, events: Sequence[EventRecord]) -> int:
        if events and events[0].position == self._indexed_up_to + 1:
            for event in events:
                self._of_type[event.event_type].append(event.position)
                self._of_correlation[key_of(event)].append(event.position)
            self._indexed_up_to = events[-1].position
        return self._indexed_up_to

    async def positions_of_type(
        self,
        event_types: Collection[str],
        after: int,
        until: int,
        limit: int,
        *,
        backwards: bool = False,
    ) -> Found:
        after, until = max(after, 0), min(until, self._indexed_up_to)
        parts = [_between(self._of_type.get(each, ()), after, until) for each in set(event_types)]
        if backwards:
            parts = [each[::-1] for each in parts]
        return found(merge(*parts, reverse=backwards), after, until, limit, backwards=backwards)

    async def positions_of_correlation(self, correlation_id: str, after: int, limit: int) -> Found:
        after, until = max(after, 0), self._indexed_up_to
        positions = self._of_correlation.get(correlation_key(correlation_id), ())
        return found(_between(positions, after, until), after, until, limit)

    async def begin_anew(self) -> None:
        self._forget()

    async def close(self) -> None:
        self._forget()

    def abandon(self) -> None:
        self._forget()

    def _forget(self) -> None:
        self._indexed_up_to = 0
        self._of_type.clear()
        self._of_correlation.clear()


def _between(positions: Sequence[int], after: int, until: int) -> Sequence[int]:
    return positions[bisect_right(positions, after) : bisect_right(positions, until)]
