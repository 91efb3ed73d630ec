"""An aggregate that makes trouble when asked to."""

import itertools
from dataclasses import replace
from decimal import Decimal

from gesta.domain import Decision, aggregate, command, event, query

print("what an author's module prints at import is not the server's address")  # noqa: T201


@event("Noted")
class Noted:
    text: str


@aggregate("Trouble")
class Trouble:
    text: str = ""

    def evolve(self, event: Noted) -> "Trouble":
        return replace(self, text=event.text)

    @command
    def note(
        self, text: str, price: Decimal | None = None
    ) -> Decision[Noted, "Trouble", tuple[str, Decimal | None]]:
        """Keeps the text, and gives back both as it understood them."""
        yield Noted(text)
        return text, price

    @command
    def fill(self, events: int, bytes_each: int) -> Decision[Noted, "Trouble", None]:
        """Writes a lot."""
        for _ in range(events):
            yield Noted("x" * bytes_each)

    @command
    def hang(self) -> Decision[Noted, "Trouble", None]:
        """Never decides."""
        for _ in itertools.count():
            pass
        yield Noted("never")

    @query
    def shout(self, mark: str = "!") -> str:
        """Returns the text in capitals."""
        return self.text.upper() + mark
