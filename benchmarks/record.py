"""What callers asked and were answered, in columns: it costs a load client a microsecond a command.

A load of a million commands kept as objects would be what is measured, by itself and by what it
makes the garbage collector do.
"""

import math
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from time import monotonic_ns
from typing import Any, NamedTuple

from tests.history.history import Command, History, Outcome, Write

from gesta.client import Done, GestaError
from gesta.client import Outcome as Told


@dataclass(frozen=True)
class Kind:
    """A command that the bank knows, and the event that it is to write."""

    event_type: str
    before: bytes
    after: bytes
    """The event's bytes on either side of the amount."""

    def write(self, aggregate_id: str, amount: int) -> Write:
        data = b"%b%d%b" % (self.before, amount, self.after)
        return Write("BankAccount", aggregate_id, self.event_type, data)


class Base(NamedTuple):
    """Where a log that was built stood: its head, and every account's version and balance."""

    position: int = 0
    version: int = 0
    balance: int = 0


NEW = Base()
"""A log that begins with the first command."""


@dataclass
class Record:
    """Of one load client. `now` must be asked before a command is sent."""

    kind: Kind
    aggregate_ids: Sequence[str]
    base: Base = NEW
    """Its history is that of what came on top of it."""
    now = staticmethod(monotonic_ns)
    ids: bytearray = field(default_factory=bytearray)
    aggregates: "array[int]" = field(default_factory=lambda: array("I"))
    amounts: "array[int]" = field(default_factory=lambda: array("q"))
    invoked: "array[int]" = field(default_factory=lambda: array("q"))
    answered: "array[int]" = field(default_factory=lambda: array("q"))
    positions: "array[int]" = field(default_factory=lambda: array("q"))
    versions: "array[int]" = field(default_factory=lambda: array("q"))
    replies: "array[int]" = field(default_factory=lambda: array("q"))
    unanswered: list[tuple[bytes, int, int, int]] = field(default_factory=list)
    not_done: int = 0
    """Commands that certainly were not. They have no id here: one that stands in the log after all
    is found there as one that nobody asked for."""

    def done(self, aggregate: int, amount: int, invoked: int, done: Done[Any]) -> None:
        """It was acknowledged just now; its reply is the balance."""
        told = (done.command_id_bytes, done.position, done.version, done.reply.balance)
        self.acknowledged(aggregate, amount, invoked, monotonic_ns(), *told)

    def acknowledged(
        self,
        aggregate: int,
        amount: int,
        invoked: int,
        answered: int,
        command_id: bytes,
        position: int,
        version: int,
        balance: int,
    ) -> None:
        """The same, for whoever has no Done."""
        self.answered.append(answered)
        self.ids += command_id
        self.aggregates.append(aggregate)
        self.amounts.append(amount)
        self.invoked.append(invoked)
        self.positions.append(position)
        self.versions.append(version)
        self.replies.append(balance)

    def failed(self, aggregate: int, amount: int, invoked: int, error: GestaError) -> None:
        """It was not acknowledged. Raises the error again where it says nothing of the command."""
        if error.outcome is Told.NOT_DONE:
            self.not_done += 1
            return
        command_id = getattr(error, "command_id", None)
        if command_id is None:
            raise error
        self.unanswered.append((command_id.bytes, aggregate, amount, invoked))

    def figures(self, begin: int, end: int) -> dict[str, float]:
        """Of the commands acknowledged between two moments: how many a second, and their times."""
        first, last = bisect_right(self.answered, begin), bisect_right(self.answered, end)
        spans = sorted(
            answered - invoked
            for invoked, answered in zip(
                self.invoked[first:last], self.answered[first:last], strict=True
            )
        )
        return {
            "per_second": (last - first) / ((end - begin) / 1e9),
            "p50_ms": share_of(spans, 0.5) / 1e6,
            "p99_ms": share_of(spans, 0.99) / 1e6,
        }

    def add_to(self, history: History) -> None:
        """As the checker takes it. Call `in_order` when all are added."""
        write, names, base = self.kind.write, self.aggregate_ids, self.base
        for n, invoked in enumerate(self.invoked):
            history.commands.append(
                Command(
                    bytes(self.ids[16 * n : 16 * n + 16]),
                    (write(names[self.aggregates[n]], self.amounts[n]),),
                    invoked,
                    Outcome.DONE,
                    self.positions[n] - base.position,
                    self.versions[n] - base.version,
                    self.replies[n] - base.balance,
                )
            )
            history.known.append((self.answered[n], self.positions[n] - base.position))
        for command_id, aggregate, amount, invoked in self.unanswered:
            writes = (write(names[aggregate], amount),)
            history.commands.append(Command(command_id, writes, invoked))


def in_order(history: History) -> History:
    """What several records added, by its moments, as a history is."""
    history.commands.sort(key=lambda command: command.invoked)
    history.reads.sort(key=lambda read: read.invoked)
    history.known.sort()
    return history


def share_of(ordered: Sequence[float], share: float) -> float:
    """What this share of the ordered figures, 0 to 1, does not exceed; NaN of none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else math.nan
