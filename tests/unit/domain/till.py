"""A till whose code has been through five versions, and what each of them stored.

1. MoneyMoved 1, the amount as a signed text
2. MoneyMoved 2, as a signed integer, and Counted 1, which nobody needed
3. MoneyMoved is split: MoneyPaidIn 1 and MoneyPaidOut 1, and TipLeft 1 beside them
4. MoneyPaidIn 2 names its currency; MoneyPaidOut becomes Payout 2, which does too
5. MoneyPaidIn 3 holds a value object; Payout 3 too
"""

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from gesta.domain import Upcast, aggregate, event, upcast
from gesta.domain.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Money:
    amount: int
    currency: str = "CZK"


@event("MoneyPaidIn", version=3)
class MoneyPaidIn:
    money: Money


@event("Payout", version=3)
class Payout:
    money: Money


@event("TipLeft")
class TipLeft:
    amount: int


@aggregate("Till")
class Till:
    """What is in it, and how it came to be: evolve notes the order of events."""

    balance: int = 0
    tips: int = 0
    steps: tuple[str, ...] = ()

    def evolve(self, event: MoneyPaidIn | Payout | TipLeft) -> "Till":
        match event:
            case MoneyPaidIn(money):
                return self._noted(f"+{money.amount}", money.amount)
            case Payout(money):
                return self._noted(f"-{money.amount}", -money.amount)
            case TipLeft(amount):
                return replace(self._noted("tip", 0), tips=self.tips + amount)

    def _noted(self, step: str, change: int) -> "Till":
        return replace(self, balance=self.balance + change, steps=(*self.steps, step))


@upcast("MoneyMoved", from_version=1)
def number_the_amount(old: dict[str, Any]) -> list[dict[str, Any]]:
    old["amount"] = int(old.pop("amt"))
    return [old]


@upcast("MoneyMoved", from_version=2, into={"MoneyPaidIn": 1, "MoneyPaidOut": 1, "TipLeft": 1})
def split_by_sign(old: dict[str, Any]) -> list[Upcast]:
    amount = old["amount"]
    name = "MoneyPaidIn" if amount >= 0 else "MoneyPaidOut"
    tips = [Upcast("TipLeft", {"amount": old["tip"]})] if "tip" in old else []
    return [Upcast(name, {"amount": abs(amount)}), *tips]


@upcast("MoneyPaidIn", from_version=1)
def add_a_currency(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**old, "currency": "CZK"}]


@upcast("MoneyPaidOut", from_version=1, into={"Payout": 2})
def rename_to_payout(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{**old, "currency": "CZK"}]


@upcast("Payout", from_version=1)
def never_stored(old: dict[str, Any]) -> list[dict[str, Any]]:
    raise LookupError("Payout began at version 2")


@upcast("MoneyPaidIn", from_version=2)
@upcast("Payout", from_version=2)
def wrap_the_money(old: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"money": old}]


@upcast("Counted", from_version=1, into={})
def forget(old: dict[str, Any]) -> list[dict[str, Any]]:
    return []


TILL = Catalog.of(Till).types["Till"]


class Stored(NamedTuple):
    event_type: str
    schema_version: int
    payload: dict[str, Any]


def stored_by(code_version: int, amount: int) -> Stored:
    """How that version of the code stored a movement; a negative amount is paid out."""
    paid_in, size = amount >= 0, abs(amount)
    match code_version:
        case 1:
            return Stored("MoneyMoved", 1, {"amt": str(amount)})
        case 2:
            return Stored("MoneyMoved", 2, {"amount": amount})
        case 3:
            return Stored("MoneyPaidIn" if paid_in else "MoneyPaidOut", 1, {"amount": size})
        case 4:
            payload = {"amount": size, "currency": "CZK"}
            return Stored("MoneyPaidIn" if paid_in else "Payout", 2, payload)
        case _:
            money = {"amount": size, "currency": "CZK"}
            return Stored("MoneyPaidIn" if paid_in else "Payout", 3, {"money": money})
