"""What can happen to a bank account. Stored for ever: a field is never renamed or removed.

Amounts are hellers and positive (a rounding adjustment may be negative); `booked_on` is the day
the movement counts for.
"""

from datetime import date
from typing import TypeAlias

from gesta.domain import event


@event("AccountOpened")
class AccountOpened:
    initial_deposit: int
    overdraft_limit: int
    booked_on: date


@event("MoneyDeposited")
class MoneyDeposited:
    amount: int
    booked_on: date


@event("MoneyWithdrawn")
class MoneyWithdrawn:
    amount: int
    booked_on: date


@event("InterestCredited")
class InterestCredited:
    amount: int
    booked_on: date


@event("FeeCharged")
class FeeCharged:
    amount: int
    booked_on: date


@event("SanctionInterestCharged")
class SanctionInterestCharged:
    amount: int
    booked_on: date


@event("RoundingAdjusted")
class RoundingAdjusted:
    amount: int
    booked_on: date


@event("AccountClosed")
class AccountClosed:
    pass


AccountEvent: TypeAlias = (
    AccountOpened
    | MoneyDeposited
    | MoneyWithdrawn
    | InterestCredited
    | FeeCharged
    | SanctionInterestCharged
    | RoundingAdjusted
    | AccountClosed
)
