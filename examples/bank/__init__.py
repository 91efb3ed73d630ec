"""The example bank. `gesta serve examples.bank` hosts it, `python -m examples.bank` shows it off.

What an author writes
    account.py        BankAccount: the state, and the commands that decide on it
    events.py         what can happen to an account
    terms.py          amounts, the reasons for a refusal, and replies
What is read from it, with gesta[projections]
    accounts.py       Accounts: every account at a glance
    statement.py      Statements: every movement
What a caller does with it
    __main__.py       the commands `demo`, `replay` and `accounts`
    demo.py           a server under load, a live subscriber, and the proof that all agree
    load.py           many callers at once
    ledger.py         every account's figures, by three ways that share no code
    replay.py         recorded transactions again, each balance compared with the bank's
    berka.py          reads the file they are recorded in
    local_server.py   a server as a process of its own
    progress.py       a progress bar
"""

from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from examples.bank.accounts import Accounts

__all__ = [
    "Accounts",
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


def __getattr__(name: str) -> object:
    if name == "Accounts":  # when it is asked for: a server of the bank needs no SQLAlchemy
        from examples.bank.accounts import Accounts

        return Accounts
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
