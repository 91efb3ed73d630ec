"""The example bank. `gesta serve examples.bank` hosts it, `python -m examples.bank` shows it off.

terms         amounts, the reasons for a refusal, and replies
events        what can happen to an account
account       BankAccount: the state, and the commands that decide on it
"""

from examples.bank.account import BankAccount
from examples.bank.events import (
    AccountClosed,
    AccountEvent,
    AccountOpened,
    FeeCharged,
    InterestCredited,
    MoneyDeposited,
    MoneyWithdrawn,
    RoundingAdjusted,
    SanctionInterestCharged,
)
from examples.bank.terms import Balance, Hellers, Refusal, Statement

__all__ = [
    "BankAccount",
    "Balance",
    "Statement",
    "Refusal",
    "Hellers",
    "AccountEvent",
    "AccountOpened",
    "MoneyDeposited",
    "MoneyWithdrawn",
    "InterestCredited",
    "FeeCharged",
    "SanctionInterestCharged",
    "RoundingAdjusted",
    "AccountClosed",
]
