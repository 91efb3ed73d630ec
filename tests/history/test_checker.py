"""The checker finds every kind of broken promise, and nothing in a history that is well."""

from collections.abc import Callable
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from tests.history.checker import assert_clean, check
from tests.history.history import Command, History, Outcome, Seen, Write
from tests.history.log import LoggedEvent
from tests.history.violation import Kind


class Story:
    """A history of two counters, and the log that it is the truth about.

    Positions 1 to 6: `first` to a, both of `pair` to b, `second` to a, `in_doubt` to b, and
    `again`, which was asked twice, to a.
    """

    def __init__(self) -> None:
        self.log: list[LoggedEvent] = []
        self.history = history = History(count(1).__next__)
        self.first = self._done("a", 5)
        self.pair = self._done("b", 1, 1)
        self.missing = history.ask("Counter", "c")
        history.answered(self.missing, 0, None, 0)
        self.second = self._done("a", 7)
        self.in_doubt = self._asked("b", 1)
        self._commit(self.in_doubt)
        self.never_sent = self._asked("b", 9)
        self.refused = self._asked("a", 9)
        history.not_done(self.refused)
        self.lost_answer = self._asked("a", 1)
        self._commit(self.lost_answer)
        self.again = history.invoke(self.lost_answer.command_id, self.lost_answer.writes)
        history.done(self.again, 6, 3, 13)
        self.read = history.ask("Counter", "a")
        history.answered(self.read, 3, 6, 13)
        self.query = history.ask("Counter", "b")
        history.answered(self.query, 3, None, 3)
        self.subscriber = self._subscribed(after=0)
        self.resumed = self._subscribed(after=3)

    def kinds(self) -> list[Kind]:
        return [each.kind for each in check(self.history, self.log, figure)]

    def change(self, position: int, **fields: Any) -> None:
        """The log has this event otherwise; subscribers were given what it has."""
        self.log[position - 1] = self.log[position - 1]._replace(**fields)
        self.subscriber.events = self.log[:]
        self.resumed.events = self.log[3:]

    def forget(self, position: int) -> None:
        """The log ends before this position."""
        del self.log[position - 1 :]
        self.subscriber.events = self.log[:]
        self.resumed.events = self.log[3:]

    def write(self, command: Command) -> None:
        """The log has it, at its end."""
        self._commit(command)
        self.subscriber.events = self.log[:]

    def _asked(self, aggregate_id: str, *amounts: int) -> Command:
        command_id = UUID(int=len(self.history.commands) + 1).bytes
        data = [b"%d" % amount for amount in amounts]
        writes = [Write("Counter", aggregate_id, "Added", each) for each in data]
        return self.history.invoke(command_id, writes)

    def _done(self, aggregate_id: str, *amounts: int) -> Command:
        command = self._asked(aggregate_id, *amounts)
        self._commit(command)
        last = self.log[-1]
        total = sum(int(e.data) for e in self.log if e.aggregate == last.aggregate)
        self.history.done(command, last.position, last.version, total)
        return command

    def _commit(self, command: Command) -> None:
        for left, write in zip(range(len(command.writes))[::-1], command.writes, strict=True):
            position = len(self.log) + 1
            aggregate = (write.aggregate_type, write.aggregate_id)
            version = 1 + sum(each.aggregate == aggregate for each in self.log)
            self.log.append(
                LoggedEvent(
                    position,
                    *aggregate,
                    version,
                    b"event %d" % position,
                    *write[2:],
                    command.command_id,
                    left > 0,
                    1_000 + position,
                )
            )

    def _subscribed(self, after: int) -> Seen:
        seen = self.history.subscriber(after)
        for start in (after, 5):  # two deliveries
            self.history.take(seen, self.log[start : 5 if start < 5 else None])
        return seen


def figure(before: int, event: LoggedEvent) -> int:
    return before + int(event.data)


def test_a_history_that_is_well_has_no_violation() -> None:
    story = Story()
    assert_clean(story.history, story.log, figure)
    assert_clean(story.history, story.log)


def test_a_command_in_doubt_may_be_missing_and_one_that_was_never_answered_may_be_there() -> None:
    story = Story()
    story.history = History(count(1).__next__)
    story.log = []
    story.in_doubt = story._asked("b", 1)
    assert story.kinds() == []
    story._commit(story.in_doubt)
    assert story.kinds() == []


def test_a_failure_names_what_was_broken_and_where() -> None:
    story = Story()
    story.again.reply = 14
    with pytest.raises(AssertionError, match=r"(?s)1 promises .*WRONG_REPLY .*comes to 13"):
        assert_clean(story.history, story.log, figure)


def _skip_a_position(story: Story) -> None:
    story.log[3:] = [each._replace(position=each.position + 1) for each in story.log[3:]]


def _part_the_pair(story: Story) -> None:
    _, _, half, other, *_ = story.log
    story.log[2] = other._replace(position=3, commit_time_us=half.commit_time_us)
    story.log[3] = half._replace(position=4, commit_time_us=other.commit_time_us)


def _lose_the_last(story: Story) -> None:
    """Nobody saw it, but for the caller who was told that it is done."""
    story.forget(6)
    story.history.reads.clear()


def _know_too_early(story: Story) -> None:
    """Somebody had been told of `second` before it was asked."""
    story.history.known.insert(0, (story.second.invoked - 1, 4))


def _doubt_what_was_done(story: Story) -> None:
    story.again.outcome = story.lost_answer.outcome = Outcome.NOT_DONE


def _answer_again(story: Story) -> None:
    for position in (5, 6):  # a command without events, whose answer moved on
        again = story.history.invoke(b"empty", ())
        story.history.done(again, position, 3, 3)


def _read(story: Story, version: int, position: int | None, figure: int, of: str = "a") -> None:
    """One more, at the end."""
    read = story.history.ask("Counter", of)
    story.history.answered(read, version, position, figure)


def _read_too_little(story: Story) -> None:
    """Of the head that it rests on; nobody knew of that event before."""
    story.history.known.clear()
    _read(story, 2, 6, 12)


def _leave_before_the_end(story: Story) -> None:
    story.subscriber.waited_for = 6
    story.subscriber.events.pop()


BREAKS: list[tuple[str, Kind, Callable[[Story], object]]] = [
    ("a position is left out", Kind.POSITION_GAP, _skip_a_position),
    ("a version is left out", Kind.VERSION_GAP, lambda s: s.change(6, version=4)),
    ("a version stands twice", Kind.VERSION_GAP, lambda s: s.change(6, version=2)),
    ("the clock ran backwards", Kind.TIME_BACKWARDS, lambda s: s.change(4, commit_time_us=1_002)),
    (
        "an event id was drawn twice",
        Kind.EVENT_ID_TWICE,
        lambda s: s.change(6, event_id=b"event 1"),
    ),
    ("another's event is in between", Kind.PARTED, _part_the_pair),
    ("half a command is at the end", Kind.PARTED, lambda s: s.change(6, more_in_command=True)),
    ("a retry was executed again", Kind.TWICE, lambda s: s.write(s.first)),
    ("an acknowledged command is gone", Kind.LOST, _lose_the_last),
    ("told another position", Kind.MISPLACED, lambda s: setattr(s.second, "position", 5)),
    ("told another version", Kind.MISPLACED, lambda s: setattr(s.second, "version", 3)),
    ("a payload differs", Kind.OTHER_BYTES, lambda s: s.change(4, data=b"07")),
    ("an event has another type", Kind.OTHER_BYTES, lambda s: s.change(4, event_type="Cleared")),
    ("what is in doubt was done wrong", Kind.OTHER_BYTES, lambda s: s.change(5, data=b"01")),
    ("half of a command was written", Kind.OTHER_BYTES, lambda s: setattr(s.pair, "writes", ())),
    ("a refused command was done", Kind.DONE_AFTER_ALL, lambda s: s.write(s.refused)),
    ("a done command was called not done", Kind.DONE_AFTER_ALL, _doubt_what_was_done),
    ("an id is of no command", Kind.NOBODY_ASKED, lambda s: s.history.commands.remove(s.in_doubt)),
    ("a second answer differs", Kind.TWO_ANSWERS, _answer_again),
    ("known before it was asked", Kind.OUT_OF_ORDER, _know_too_early),
    ("a reply is of another state", Kind.WRONG_REPLY, lambda s: setattr(s.second, "reply", 7)),
    ("a read is of an old head", Kind.STALE_READ, lambda s: _read(s, 2, 5, 12)),
    ("a read has an old head and all else", Kind.STALE_READ, lambda s: _read(s, 3, 5, 3, of="b")),
    ("a query is one event short", Kind.STALE_READ, lambda s: _read(s, 2, None, 12)),
    ("what was done is not found", Kind.STALE_READ, lambda s: _read(s, 0, None, 0)),
    ("a read has a head to come", Kind.WRONG_READ, lambda s: setattr(s.read, "position", 7)),
    ("a read has a version to come", Kind.WRONG_READ, lambda s: setattr(s.read, "version", 4)),
    ("a read has one event too few", Kind.WRONG_READ, _read_too_little),
    ("a read has another state", Kind.WRONG_READ, lambda s: setattr(s.read, "figure", 12)),
    ("something was never written", Kind.WRONG_READ, lambda s: setattr(s.missing, "version", 1)),
    ("an event was passed over", Kind.SEEN_GAP, lambda s: s.subscriber.events.pop(2)),
    ("a start was too late", Kind.SEEN_GAP, lambda s: s.resumed.events.pop(0)),
    ("the end never came", Kind.SEEN_TOO_LITTLE, _leave_before_the_end),
    ("an event came twice", Kind.SEEN_TWICE, lambda s: s.subscriber.events.insert(2, s.log[1])),
    ("a start was too early", Kind.SEEN_TWICE, lambda s: s.resumed.events.insert(0, s.log[2])),
    (
        "an event came that was undone",
        Kind.SEEN_OTHERWISE,
        lambda s: s.subscriber.events.append(s.log[5]._replace(position=7)),
    ),
    (
        "an event came with other bytes",
        Kind.SEEN_OTHERWISE,
        lambda s: s.resumed.events.append(s.resumed.events.pop()._replace(event_id=b"another")),
    ),
]


@pytest.mark.parametrize(
    ("kind", "break_it"), [each[1:] for each in BREAKS], ids=[each[0] for each in BREAKS]
)
def test_a_broken_promise_is_found(kind: Kind, break_it: Callable[[Story], object]) -> None:
    story = Story()
    break_it(story)
    assert story.kinds() == [kind]


def test_every_kind_is_seeded_above() -> None:
    assert {kind for _, kind, _ in BREAKS} == set(Kind)
