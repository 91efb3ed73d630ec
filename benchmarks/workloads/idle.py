"""Accounts in memory of which nobody asks anything: what each of them takes."""

import sys
from typing import Any

from examples.bank import BankAccount

from benchmarks.bank import Accounts, violations
from benchmarks.processes import Running
from gesta.client import connect

CALLERS = 1_024
GC_HEADER_BYTES = 16


async def measure(address: str, pid: int, filling: int, accounts: int) -> dict[str, Any]:
    """Bytes for each of the accounts opened after the first `filling`, with which everything that
    has a limit of its own (the tail, the command ids) has come up to it; a state's among them."""
    server = Running(address, pid)
    async with connect(address) as client:
        first = Accounts(client, "filling", filling)
        await first.open(CALLERS)
        before = server.rss_bytes()
        rest = Accounts(client, "account", accounts)
        await rest.open(CALLERS)
        after = server.rss_bytes()
        state = (await client.aggregate(BankAccount, rest.ids[0]).state()).state
        broken = await violations(client, first, rest)
    return {
        "bytes": (after - before) / accounts - size_of(state),
        "state_bytes": size_of(state),
        "rss_mb": after / 1e6,
        "violations": broken,
    }


def size_of(state: BankAccount) -> int:
    """The state itself and what only it refers to."""
    fields = (state.balance, state.overdraft_limit, state.transaction_count, state.last_activity)
    own = [each for each in fields if not (isinstance(each, int) and -5 <= each <= 256)]
    return GC_HEADER_BYTES + sys.getsizeof(state) + sum(map(sys.getsizeof, own))
