"""Every promise, held against one full read of the log, in time proportional to what happened."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from tests.history.history import Command, History, Outcome, Read, Seen, Write
from tests.history.log import Figure, IndexedLog, LoggedEvent
from tests.history.violation import Kind, Violation

A = TypeVar("A", Command, Read)

SHOWN_MAX = 20
"""Violations in the text of a failure: one bug commonly breaks thousands of promises."""

NEVER = sys.maxsize
"""No question is asked at that moment."""


def assert_clean(
    history: History, log: Sequence[LoggedEvent], figure: Figure | None = None
) -> None:
    """Raises AssertionError with the violations that `check` finds."""
    found = check(history, log, figure)
    lines = [str(each) for each in found[:SHOWN_MAX]]
    assert not found, f"{len(found)} promises were broken:\n" + "\n".join(lines)


def check(
    history: History, log: Sequence[LoggedEvent], figure: Figure | None = None
) -> list[Violation]:
    """What is wrong; nothing, if all is well.

    `log` is everything from position 1, read when all was answered. Without a `figure` replies and
    the contents of reads are not compared. A log that is broken in itself is reported alone.
    """
    index = IndexedLog(log, figure)
    if index.violations:
        return index.violations
    checker = _Checker(history, index, with_figures=figure is not None)
    return [*checker.commands(), *checker.reads(), *checker.subscribers()]


class _Checker:
    def __init__(self, history: History, log: IndexedLog, *, with_figures: bool) -> None:
        self._history = history
        self._log = log
        self._with_figures = with_figures

    def commands(self) -> Iterator[Violation]:
        """Each command id, with all that was ever asked under it."""
        asked: dict[bytes, list[tuple[Command, int]]] = {}
        for command, floor in self._floors(self._history.commands):
            asked.setdefault(command.command_id, []).append((command, floor))
        for command_id, attempts in asked.items():
            written = self._log.commands.get(command_id, ())
            yield from self._attempts(attempts, written)
        for command_id, written in self._log.commands.items():
            if command_id not in asked:
                yield Violation(Kind.NOBODY_ASKED, f"{written[0]}")

    def _attempts(
        self, attempts: list[tuple[Command, int]], written: Sequence[LoggedEvent]
    ) -> Iterator[Violation]:
        done = [command for command, _ in attempts if command.outcome is Outcome.DONE]
        for command in done:
            yield from self._acknowledged(command, written)
            if _answer(command) != _answer(done[0]):
                yield Violation(Kind.TWO_ANSWERS, f"{command} and {done[0]}")
        possible = [each for each in attempts if each[0].outcome is not Outcome.NOT_DONE]
        if not written:
            return
        if not possible:
            yield Violation(Kind.DONE_AFTER_ALL, f"{attempts[0][0]}: {written[0]}")
            return
        command, floor = possible[0]  # the earliest that may have done it
        if written[0].position <= floor:
            yield Violation(Kind.OUT_OF_ORDER, f"{written[0]}, asked when {floor} was known")
        if [_write(event) for event in written] != list(command.writes):
            yield Violation(Kind.OTHER_BYTES, f"{written} for {command.writes}")

    def _acknowledged(
        self, command: Command, written: Sequence[LoggedEvent]
    ) -> Iterator[Violation]:
        if not written:
            if command.writes:
                yield Violation(Kind.LOST, f"{command}")
            return
        last = written[-1]
        if command.position != last.position or command.version not in (None, last.version):
            yield Violation(Kind.MISPLACED, f"{command}: {last}")
        if command.reply is not None and self._with_figures:
            figure = self._log.stream(last.aggregate).figure(last.version)
            if command.reply != figure:
                yield Violation(Kind.WRONG_REPLY, f"{command}, where it comes to {figure}")

    def reads(self) -> Iterator[Violation]:
        for read, floor in self._floors(self._history.reads):
            if read.version is not None:
                yield from self._read(read, read.version, floor)

    def _read(self, read: Read, version: int, floor: int) -> Iterator[Violation]:
        stream = self._log.stream((read.aggregate_type, read.aggregate_id))
        next_place = stream.place(version + 1)
        if next_place is not None and next_place <= floor:
            yield Violation(Kind.STALE_READ, f"{read} misses {next_place}; {floor} was known")
        elif read.position is not None and read.position < floor:
            yield Violation(Kind.STALE_READ, f"{read}, asked when {floor} was known")
        place = stream.place(version) if version else 0
        head = len(self._log.events)
        if place is None or place > (head if read.position is None else read.position):
            yield Violation(Kind.WRONG_READ, f"{read}: its version is at {place}")
        elif read.position is not None and not _ends_before(read.position, next_place, head):
            yield Violation(Kind.WRONG_READ, f"{read}: {next_place} is missing, of {head}")
        elif self._with_figures and read.figure not in (None, stream.figure(version)):
            yield Violation(Kind.WRONG_READ, f"{read}, not {stream.figure(version)}")

    def subscribers(self) -> Iterator[Violation]:
        for seen in self._history.seen:
            yield from self._subscriber(seen)

    def _subscriber(self, seen: Seen) -> Iterator[Violation]:
        """The first thing that is wrong; what follows it is wrong for the same reason."""
        log = self._log.events
        for index, event in enumerate(seen.events, seen.after):
            if index < len(log) and event == log[index]:
                continue
            if event.position > index + 1:
                yield Violation(Kind.SEEN_GAP, f"{event.position} after {index}")
            elif event.position <= index:
                yield Violation(Kind.SEEN_TWICE, f"{event.position} after {index}")
            else:
                stored = log[index] if index < len(log) else "nothing"
                yield Violation(Kind.SEEN_OTHERWISE, f"{event}, where the log has {stored}")
            return
        if seen.position < seen.waited_for:
            yield Violation(Kind.SEEN_TOO_LITTLE, f"{seen.position} of {seen.waited_for}")

    def _floors(self, asked: Iterable[A]) -> Iterator[tuple[A, int]]:
        """With each question the greatest position that somebody knew of before it was asked."""
        known = iter(self._history.known)
        moment, position = next(known, (NEVER, 0))
        floor = 0
        for each in asked:
            while moment < each.invoked:
                floor = max(floor, position)
                moment, position = next(known, (NEVER, 0))
            yield each, floor


def _answer(command: Command) -> tuple[int, int | None, int | None]:
    return command.position, command.version, command.reply


def _write(event: LoggedEvent) -> Write:
    return Write(event.aggregate_type, event.aggregate_id, event.event_type, event.data)


def _ends_before(position: int, next_place: int | None, head: int) -> bool:
    """Whether a read at this position, of a log that goes up to `head`, need not have the next
    event of its aggregate."""
    return position <= head and (next_place is None or position < next_place)
