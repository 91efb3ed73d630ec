"""An aggregate whose replies and states are as large as one asks, and its events small."""

from gesta.domain import Decision, aggregate, command, event, query


@event("Filled")
class Filled:
    letters: int


@aggregate("Bulk")
class Bulk:
    text: str = ""

    def evolve(self, event: Filled) -> "Bulk":
        return Bulk("x" * event.letters)

    @command
    def fill(self, letters: int) -> Decision[Filled, "Bulk", None]:
        yield Filled(letters)

    @command
    def recite(self, letters: int) -> Decision[Filled, "Bulk", str]:
        """Returns so many letters."""
        yield Filled(0)
        return "x" * letters

    @query
    def letters(self, count: int) -> str:
        return "x" * count
