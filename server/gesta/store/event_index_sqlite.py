"""An index of events in a SQLite file beside the log, which may be deleted while no server runs.

A commit is not synced, but the order of commits is kept: what a loss of power takes are the last
ones, so no event is left out in the middle. Within a type, rows are numbered without gaps, and
every answer is held against the rows before and after it: one that got lost, or changed, shows.
"""

import logging
from collections.abc import Collection, Sequence
from functools import partial
from heapq import merge
from pathlib import Path
from typing import Any

from gesta.store.connection import JobConnection
from gesta.store.derived_file import DerivedFile, Unfit
from gesta.store.event_index import Found, correlation_key, found
from gesta.store.event_index_file import State, add, begin, row_checksum
from gesta.store.port import CorruptLog, EventRecord, EventStore, LogInfo, StorageFailed, checksum

_LOG = logging.getLogger("gesta.store")

FILE = "index.sqlite3"

_ROWS = "SELECT type_id, position, number, checksum FROM of_type WHERE type_id = ? AND "
_FORWARDS = _ROWS + "position > ? AND position <= ? ORDER BY position LIMIT ?"
_BACKWARDS = _ROWS + "position > ? AND position <= ? ORDER BY position DESC LIMIT ?"
_AT_OR_BEFORE = _ROWS + "position <= ? ORDER BY position DESC LIMIT 1"
_AFTER = _ROWS + "position > ? ORDER BY position LIMIT 1"
_OF_CORRELATION = (
    "SELECT position FROM of_correlation WHERE key = ? AND position > ? AND position <= ? "
    "ORDER BY position LIMIT ?"
)


class SqliteEventIndex:
    """The index of the log in `directory`; some 40 bytes an event."""

    def __init__(self, directory: Path) -> None:
        self._file: DerivedFile[State] = DerivedFile(directory / FILE)

    @property
    def indexed_up_to(self) -> int:
        return 0 if self._file.state is None else self._file.state.indexed_up_to

    async def open(self, log: LogInfo, store: EventStore) -> None:
        await self._file.open(partial(begin, (log.log_id, log.incarnations[-1].number)))
        state = self._file.state
        if state is not None and not await _is_of_this_history(state, store):
            _LOG.warning("%s is begun anew: it does not belong to this log", FILE)
            await self._file.begin_anew()

    async def add(self, events: Sequence[EventRecord]) -> int:
        state = self._file.state
        if state is not None and events and events[0].position == state.indexed_up_to + 1:
            added = await self._file.run(None, add, state, events)
            if added is not None and self._file.state is state:
                self._file.state = added
        return self.indexed_up_to

    async def positions_of_type(
        self,
        event_types: Collection[str],
        after: int,
        until: int,
        limit: int,
        *,
        backwards: bool = False,
    ) -> Found:
        after = max(after, 0)
        nothing = Found([], after, after)
        state = self._file.state
        if state is None:
            return nothing
        stretch = (after, min(until, state.indexed_up_to), limit, backwards)
        types = [state.types[each] for each in set(event_types) if each in state.types]
        return await self._file.run(nothing, _of_type, types, *stretch)

    async def positions_of_correlation(self, correlation_id: str, after: int, limit: int) -> Found:
        after = max(after, 0)
        nothing = Found([], after, after)
        state = self._file.state
        if state is None:
            return nothing
        stretch = (after, state.indexed_up_to, limit)
        return await self._file.run(
            nothing, _of_correlation, correlation_key(correlation_id), *stretch
        )

    async def begin_anew(self) -> None:
        await self._file.begin_anew()

    async def close(self) -> None:
        await self._file.close()

    def abandon(self) -> None:
        self._file.abandon()


async def _is_of_this_history(state: State, store: EventStore) -> bool:
    """Whether the log has the last event that is indexed; its id was drawn for it alone."""
    if state.indexed_up_to == 0:
        return True
    try:
        (event,) = await store.read_positions([state.indexed_up_to])
    except (CorruptLog, StorageFailed):
        return False
    return checksum(event) == state.event_checksum


def _of_type(
    connection: JobConnection,
    types: list[tuple[int, int]],
    after: int,
    until: int,
    limit: int,
    backwards: bool,
) -> Found:
    parts = []
    if after < until and limit > 0:
        for number, count in types:
            parts.append(_of_one(connection, number, count, after, until, limit, backwards))
    positions = merge(*parts, reverse=backwards)
    return found(positions, after, until, limit, backwards=backwards)


def _of_one(
    connection: JobConnection,
    number: int,
    count: int,
    after: int,
    until: int,
    limit: int,
    backwards: bool,
) -> list[int]:
    """Positions of one type; Unfit if one is missing."""

    def rows(query: str, *parameters: int) -> list[tuple[int, int]]:
        found = connection.execute(query, (number, *parameters)).fetchall()
        return [_position_and_number(row) for row in found]

    before = [*rows(_AT_OR_BEFORE, after), (0, 0)][0]
    last = [*rows(_AT_OR_BEFORE, until), (0, 0)][0]
    following = [*rows(_AFTER, until), (until + 1, count + 1)][0]
    found = rows(_BACKWARDS if backwards else _FORWARDS, after, until, limit)
    numbers = range(last[1], before[1], -1) if backwards else range(before[1] + 1, last[1] + 1)
    if following[1] != last[1] + 1 or [each[1] for each in found] != list(numbers[:limit]):
        raise Unfit(f"of type {number} there is not every event")
    return [each[0] for each in found]


def _position_and_number(row: tuple[int, int, int, int]) -> tuple[int, int]:
    type_id, position, number, stored = row
    if row_checksum(type_id, position, number) != stored:
        raise Unfit(f"the row of type {type_id} for position {position} is damaged")
    return position, number


def _of_correlation(
    connection: JobConnection, key: bytes, after: int, until: int, limit: int
) -> Found:
    rows: list[tuple[Any]] = []
    if after < until and limit > 0:
        rows = connection.execute(_OF_CORRELATION, (key, after, until, limit)).fetchall()
    for (position,) in rows:
        if not isinstance(position, int) or not after < position <= until:
            raise Unfit(f"{position!r} stands among the positions from {after} to {until}")
    return found((row[0] for row in rows), after, until, limit)
