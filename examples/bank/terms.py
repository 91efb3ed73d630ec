"""What a caller of the bank deals in: amounts, the reasons for a refusal, and replies."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Annotated, TypeAlias

import msgspec

# Far above any real amount, and far enough below 2**63 that a balance stays within it.
AMOUNT_MAX_HELLERS = 10**15
Hellers: TypeAlias = Annotated[int, msgspec.Meta(ge=-AMOUNT_MAX_HELLERS, le=AMOUNT_MAX_HELLERS)]


class Refusal(StrEnum):
    """Why the bank says no."""

    ACCOUNT_ALREADY_OPEN = "ACCOUNT_ALREADY_OPEN"
    ACCOUNT_NOT_OPEN = "ACCOUNT_NOT_OPEN"  # never opened, or closed
    AMOUNT_NOT_POSITIVE = "AMOUNT_NOT_POSITIVE"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    BALANCE_NOT_ZERO = "BALANCE_NOT_ZERO"


@dataclass(frozen=True, slots=True)
class Balance:
    """What every movement replies: the balance after it."""

    balance: int


@dataclass(frozen=True, slots=True)
class Statement:
    """The account at a glance; `available` is what can be withdrawn."""

    balance: int
    available: int
    transaction_count: int
    last_activity: date | None
