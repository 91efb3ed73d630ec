"""An aggregate whose replies, states and events are as large as one asks."""

from gesta.domain import Decision, aggregate, command, event, query


@event("Filled")
class Filled:
    letters: int


@event("Kept")
class Kept:
    text: str


@aggregate("Bulk")
class Bulk:
    text: str = ""

    def evolve(self, event: Filled | Kept) -> "Bulk":
        match event:
            case Filled(letters):
                return Bulk("x" * letters)
            case Kept():
                return self

    @command
    def fill(self, letters: int) -> Decision[Filled, "Bulk", None]:
        """A large state out of a small event."""
        yield Filled(letters)

    @command
    def keep(self, letters: int) -> Decision[Kept, "Bulk", None]:
        """A large event."""
        yield Kept("x" * letters)

    @command
    def recite(self, letters: int) -> Decision[Filled, "Bulk", str]:
        """Returns so many letters."""
        yield Filled(0)
        return "x" * letters

    @query
    def letters(self, count: int) -> str:
        return "x" * count
