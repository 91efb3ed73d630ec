"""Every account's figures by three ways that share no code: the proof that the log is the truth.

The listener does sums of its own on the plain payloads as they arrive; the state comes from the
server's actors; the log is read from its beginning and folded by BankAccount here.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from examples.bank.account import BankAccount

from gesta.client import Client, Event

READS_AT_ONCE = 64  # enough to keep the server busy


class Figures(NamedTuple):
    """What is compared, for one account."""

    balance: int = 0
    transaction_count: int = 0
    last_activity: date | None = None


class Listener:
    """A live subscriber that keeps every account's figures."""

    def __init__(self) -> None:
        self.accounts: dict[str, Figures] = {}
        self.position = 0
        self._moved = asyncio.Event()

    async def listen(self, client: Client) -> None:
        """Follows the log from its first event, until cancelled."""
        async with client.subscribe() as subscription:
            async for event in subscription:
                self._apply(event)
                self.position = event.position
                self._moved.set()

    async def reach(self, position: int) -> None:
        """Waits until everything up to this position is in the figures."""
        while self.position < position:
            self._moved.clear()
            await self._moved.wait()

    def _apply(self, event: Event) -> None:
        before = self.accounts.get(event.aggregate_id, Figures())
        match event.event_type, event.payload:
            case "AccountOpened", {"initial_deposit": amount, "booked_on": day}:
                change = amount
            case "MoneyDeposited", {"amount": amount, "booked_on": day}:
                change = amount
            case "MoneyWithdrawn", {"amount": amount, "booked_on": day}:
                change = -amount
            case other, _:
                raise ValueError(f"the demo writes no {other}")
        self.accounts[event.aggregate_id] = Figures(
            before.balance + change, before.transaction_count + 1, date.fromisoformat(day)
        )


async def figures_by_state(client: Client, account_ids: list[str]) -> dict[str, Figures]:
    """Asks the server for the state of each account."""
    turns = asyncio.Semaphore(READS_AT_ONCE)

    async def ask(account_id: str) -> Figures:
        async with turns:
            return _figures((await client.aggregate(BankAccount, account_id).state()).state)

    figures = await asyncio.gather(*(ask(account_id) for account_id in account_ids))
    return dict(zip(account_ids, figures, strict=True))


@dataclass(frozen=True, slots=True)
class LogFigures:
    """What the log says, read from its beginning."""

    accounts: dict[str, Figures]
    events: int
    commits: int  # events of one commit share their commit time, and no two commits do


async def figures_by_log(client: Client) -> LogFigures:
    """Reads every event and folds it."""
    states: dict[str, BankAccount] = {}
    commit_times: set[datetime] = set()
    events = 0
    async for event in client.read():
        state = states.get(event.aggregate_id, BankAccount())
        states[event.aggregate_id] = state.evolve(event.decode(BankAccount))
        commit_times.add(event.commit_time)
        events += 1
    accounts = {account_id: _figures(state) for account_id, state in states.items()}
    return LogFigures(accounts, events, len(commit_times))


def _figures(state: BankAccount) -> Figures:
    return Figures(state.balance, state.transaction_count, state.last_activity)
