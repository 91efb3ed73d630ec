"""Answers what a Finder asks for: together where that is possible, one by one where it is not.

Runs on a reader's thread.
"""

import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gesta.store.connection import JobConnection, store_error
from gesta.store.finder import TOGETHER_MAX, Answer, Sought
from gesta.store.names import Kind, Names
from gesta.store.packed import Found, find_streams, read_events
from gesta.store.port import CorruptLog, EventRecord, Stream, StreamHead

_TOOK_LONG_S = 0.01
"""A job that takes longer is one of a slow disk, or of large streams: nobody's answer is to wait
for many others' there, so the next job is half of it."""

_EVENTS_MAX = 64
"""Of one stream, read together with those of others."""

_NOTHING_KNOWN = 0
"""Instead of a stream's number."""

FindOne = Callable[["Bounds", str, str, int], StreamHead | None]
HeadOf = Callable[["Bounds", str, str, int], StreamHead]


class Bounds(NamedTuple):
    """How far the log is confirmed; taken on the loop, when a read begins."""

    head: int
    streams: int


class Search:
    """Of one connection. Begins with one stream in a job, and twice as many in the next."""

    def __init__(
        self, connection: JobConnection, names: Names, find_one: FindOne, head_of: HeadOf
    ) -> None:
        self._connection = connection
        self._names = names
        self._find_one = find_one
        self._head_of = head_of
        self._together = 1

    def find(self, bounds: Bounds, some: Sequence[Sought]) -> list[Answer]:
        """Answers to the first of them, in their order, one at least. Damage is an answer."""
        began = time.monotonic()
        some = some[: self._together]
        known = self._find_together(bounds, some)
        answers: list[Answer] = []
        late = False
        for index, sought in enumerate(some):
            found = known.get(index, _NOTHING_KNOWN)
            if late and isinstance(found, int):
                break  # it takes a read of its own, for which those before are not to wait
            answers.append(self._answer(bounds, sought, found))
            late = time.monotonic() > began + _TOOK_LONG_S
        self._together = max(1, self._together // 2) if late else 2 * self._together
        self._together = min(self._together, TOGETHER_MAX)
        return answers

    def _answer(self, bounds: Bounds, sought: Sought, known: Answer | int) -> Answer:
        if not isinstance(known, int):
            return known
        try:
            if known == _NOTHING_KNOWN:
                return self._find_one(bounds, *sought)
            return self._head_of(bounds, sought.aggregate_type, sought.aggregate_id, known)
        except (CorruptLog, sqlite3.Error) as error:
            damage = store_error(error)
            if isinstance(damage, CorruptLog):
                return damage
            raise

    def _find_together(
        self, bounds: Bounds, some: Sequence[Sought]
    ) -> dict[int, StreamHead | int | None]:
        """By index, as far as it is known: the answer, or the number of a stream whose events were
        not asked for, or are too many."""
        streams: dict[int, Found | None] = {}
        for aggregate_type in {each.aggregate_type for each in some}:
            asked = {i: s.aggregate_id for i, s in enumerate(some) if s[0] == aggregate_type}
            type_id = self._names.numbers[Kind.AGGREGATE_TYPE].get(aggregate_type)
            found = find_streams(
                self._connection,
                type_id,
                aggregate_type,
                [*asked.values()],
                bounds.streams,
                bounds.head,
            )
            if found is not None:
                streams |= {i: found.get(each) for i, each in asked.items()}
        wanted = {
            i: each.number
            for i, each in streams.items()
            if each is not None and 0 < each.last <= min(some[i].events_max, _EVENTS_MAX)
        }
        read = read_events(
            self._connection,
            {number: some[i][:2] for i, number in wanted.items()},
            self._names.texts,
            min(_EVENTS_MAX, 1 + max(each.events_max for each in some)),
            bounds.head,
        )
        return {
            i: None if each is None else _known(some[i], each, read.get(each.number, []))
            for i, each in streams.items()
        }


def _known(sought: Sought, found: Found, events: list[EventRecord]) -> StreamHead | int:
    """`events` may have been read in part, or not at all."""
    number, last = found
    if last > sought.events_max:
        return number
    if last == 0 or len(events) != last:
        return _NOTHING_KNOWN
    return StreamHead(Stream(*sought[:2], number), last, events)
