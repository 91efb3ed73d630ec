"""The aggregate the engine is tested with: a sum, and whatever an author can do wrong."""

import json
from asyncio import CancelledError
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Never

from gesta.domain import Context, Decision, Rejected, aggregate, command, event, query
from gesta.domain.catalog import Catalog

WAYS_OUT = {"exit": SystemExit, "cancellation": CancelledError, "closing": GeneratorExit}
"""What is raised to end a process, a task or a generator, and is no Exception."""


class Refusal(StrEnum):
    TOO_LITTLE = "TOO_LITTLE"


@event("Added")
class Added:
    amount: int
    note: str = ""


@event("Stamped")
class Stamped:
    at: datetime


@event("Poisoned")
class Poisoned:
    """Its evolve fails."""


@aggregate("Tally")
class Tally:
    total: int = 0

    def evolve(self, event: Added | Stamped | Poisoned) -> "Tally":
        match event:
            case Added(amount):
                return replace(self, total=self.total + amount)
            case Stamped():
                return self
            case Poisoned():
                raise RuntimeError("poison")

    @command
    def add(self, amount: int, note: str = "") -> Decision[Added, "Tally", int]:
        after = yield Added(amount, note)
        return after.total

    @command
    def add_each(self, amounts: tuple[int, ...]) -> Decision[Added, "Tally", int]:
        after = self
        for amount in amounts:
            after = yield Added(amount)
        return after.total

    @command(rejects=Refusal)
    def take(self, amount: int) -> Decision[Added, "Tally", int]:
        if amount > self.total:
            raise Rejected(Refusal.TOO_LITTLE, have=str(self.total))
        after = yield Added(-amount)
        return after.total

    @command
    def look(self) -> Decision[Never, "Tally", int]:
        yield from ()
        return self.total

    @command
    def recite(self, length: int) -> Decision[Never, "Tally", str]:
        yield from ()
        return "x" * length

    @command
    def stamp(self, context: Context) -> Decision[Stamped, "Tally", datetime]:
        yield Stamped(context.now)
        return context.now

    @command
    def flood(self, count: int) -> Decision[Added, "Tally", None]:
        for _ in range(count):
            yield Added(1)

    @command
    def crash(self) -> Decision[Added, "Tally", None]:
        yield Added(1)
        raise RuntimeError("secret of the author")

    @command
    def leave(self, by: str) -> Decision[Added, "Tally", None]:
        yield Added(1)
        raise WAYS_OUT[by]("secret of the author")

    @command
    def poison(self) -> Decision[Poisoned, "Tally", None]:
        yield Poisoned()

    @command
    def garble(self) -> Decision[Added, "Tally", None]:
        yield Added("seven")  # type: ignore[arg-type]

    @query
    def sum(self) -> int:
        return self.total

    @query
    def stumble(self) -> int:
        raise RuntimeError("secret of the author")

    @query
    def go(self, by: str) -> int:
        raise WAYS_OUT[by]("secret of the author")


TALLIES = Catalog.of(Tally)

Ask = tuple[str, bytes]
"""A command's name and its arguments."""


def ask(name: str, **arguments: object) -> Ask:
    return name, json.dumps(arguments).encode()


def add(amount: int = 1) -> Ask:
    return ask("add", amount=amount)


def take(amount: int) -> Ask:
    return ask("take", amount=amount)
