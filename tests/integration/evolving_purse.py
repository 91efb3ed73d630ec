"""One aggregate, as five releases of its author's code had it.

1  Paid {amt: "5"}
2  Paid {amount: 5}                      a field renamed and retyped
3  Paid {amount: 5, currency: "CZK"}     a field added that has no default
4  Received / Spent                      Paid is split by its sign
5  Received, SpentV5 renamed Outlay      renamed; Greeted is dropped
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from gesta.domain import Decision, Upcast, aggregate, command, event, upcast


@upcast("Paid", from_version=1)
def retype(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"amount": int(old["amt"])}]


@upcast("Paid", from_version=2)
def add_currency(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**old, "currency": "CZK"}]


@upcast("Paid", from_version=3, into={"Received": 1, "Spent": 1})
def split(old: dict[str, Any]) -> list[Upcast]:
    """Into what came in and what went out; one of both where a fee of 1 was hidden in it."""
    amount = old["amount"]
    if amount >= 100:
        return [Upcast("Received", {"amount": amount}), Upcast("Spent", {"amount": 1})]
    name = "Received" if amount >= 0 else "Spent"
    return [Upcast(name, {"amount": abs(amount)})]


@upcast("Spent", from_version=1, into={"Outlay": 1})
def rename(old: dict[str, Any]) -> list[Upcast]:
    return [Upcast("Outlay", old)]


@upcast("Greeted", from_version=1, into={})
def drop(old: dict[str, Any]) -> list[Upcast]:
    return []


def release_1() -> type:
    @event("Paid")
    class Paid:
        amt: str

    @event("Greeted")
    class Greeted:
        pass

    @aggregate("Purse", upcasters=[])
    class Purse:
        total: int = 0

        def evolve(self, event: Paid | Greeted) -> "Purse":
            if isinstance(event, Greeted):
                return self
            return replace(self, total=self.total + int(event.amt))

        @command
        def pay(self, amount: int) -> Decision[Paid | Greeted, "Purse", int]:
            yield Greeted()
            after = yield Paid(str(amount))
            return after.total

    return Purse


def release_2() -> type:
    @event("Paid", version=2)
    class Paid:
        amount: int

    @event("Greeted")
    class Greeted:
        pass

    @aggregate("Purse", upcasters=[retype])
    class Purse:
        total: int = 0

        def evolve(self, event: Paid | Greeted) -> "Purse":
            if isinstance(event, Greeted):
                return self
            return replace(self, total=self.total + event.amount)

        @command
        def pay(self, amount: int) -> Decision[Paid, "Purse", int]:
            after = yield Paid(amount)
            return after.total

    return Purse


def release_3() -> type:
    @event("Paid", version=3)
    class Paid:
        amount: int
        currency: str

    @event("Greeted")
    class Greeted:
        pass

    @aggregate("Purse", upcasters=[retype, add_currency])
    class Purse:
        total: int = 0

        def evolve(self, event: Paid | Greeted) -> "Purse":
            if isinstance(event, Greeted):
                return self
            return replace(self, total=self.total + event.amount)

        @command
        def pay(self, amount: int) -> Decision[Paid, "Purse", int]:
            after = yield Paid(amount, "CZK")
            return after.total

    return Purse


def release_4() -> type:
    @event("Received")
    class Received:
        amount: int

    @event("Spent")
    class Spent:
        amount: int

    @aggregate("Purse", upcasters=[retype, add_currency, split, drop])
    class Purse:
        total: int = 0

        def evolve(self, event: Received | Spent) -> "Purse":
            sign = 1 if isinstance(event, Received) else -1
            return replace(self, total=self.total + sign * event.amount)

        @command
        def pay(self, amount: int) -> Decision[Received | Spent, "Purse", int]:
            after = yield Received(amount) if amount >= 0 else Spent(-amount)
            return after.total

    return Purse


def release_5() -> type:
    @event("Received")
    class Received:
        amount: int

    @event("Outlay")
    class Outlay:
        amount: int

    @aggregate("Purse", upcasters=[retype, add_currency, split, rename, drop])
    class Purse:
        total: int = 0

        def evolve(self, event: Received | Outlay) -> "Purse":
            sign = 1 if isinstance(event, Received) else -1
            return replace(self, total=self.total + sign * event.amount)

        @command
        def pay(self, amount: int) -> Decision[Received | Outlay, "Purse", int]:
            after = yield Received(amount) if amount >= 0 else Outlay(-amount)
            return after.total

    return Purse


RELEASES: tuple[Callable[[], type], ...] = (release_1, release_2, release_3, release_4, release_5)
