"""An aggregate that does as it is told: adds, bursts, refuses, breaks."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from gesta.domain import Decision, Rejected, aggregate, command, event, query


@event("Added")
class Added:
    amount: int
    note: str = ""


@event("Cleared")
class Cleared:
    pass


class Refusal(StrEnum):
    NEGATIVE = "NEGATIVE"


@aggregate("Tally")
class Tally:
    total: int = 0
    count: int = 0

    def evolve(self, event: Added | Cleared) -> "Tally":
        match event:
            case Added(amount, _):
                return replace(self, total=self.total + amount, count=self.count + 1)
            case Cleared():
                return replace(self, total=0, count=self.count + 1)

    @command(rejects=Refusal)
    def add(self, amount: int, note: str = "") -> Decision[Added, "Tally", int]:
        if amount < 0:
            raise Rejected(Refusal.NEGATIVE, "no", amount=str(amount))
        after = yield Added(amount, note)
        return after.total

    @command
    def burst(self, events: int, note: str = "") -> Decision[Added, "Tally", int]:
        for _ in range(events):
            yield Added(1, note)
        return events

    @command
    def clear(self) -> Decision[Cleared, "Tally", None]:
        yield Cleared()

    @command
    def weigh(self, grams: float) -> Decision[Added, "Tally", float]:
        """Takes a number that need not be an integer."""
        yield Added(1)
        return grams

    @command
    def sort(self, boxes: Mapping[str, tuple[int, ...]]) -> Decision[Added, "Tally", int]:
        """Takes something nested."""
        yield Added(len(boxes))
        return len(boxes)

    @command
    def crash(self) -> Decision[Added, "Tally", None]:
        """A bug, whose text must not leave the server, nor its event reach the log."""
        yield Added(1)
        raise RuntimeError("the_secret_of_the_author")

    @query
    def sum_of(self, factor: int = 1) -> int:
        return self.total * factor


@event("Lined")
class Lined:
    text: str


@aggregate("Ledger")
class Ledger:
    """Another type, whose state is not looked at."""

    lines: int = 0

    def evolve(self, event: Lined) -> "Ledger":
        return replace(self, lines=self.lines + 1)

    @command
    def write(self, text: str) -> Decision[Lined, "Ledger", int]:
        after = yield Lined(text)
        return after.lines
