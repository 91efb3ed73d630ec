"""A caller with few commands, beside whatever else the server has to do: how soon it hears.

It has a process of its own, as what floods a server is late in reading what it is told. Its command
is one that the bank itself refuses, so that nothing of it stands in the log.
"""

import asyncio
import time
from typing import Any

from examples.bank import BankAccount

from benchmarks.bank import DAY
from benchmarks.record import share_of
from gesta.client import Client, Overloaded, Refused, RetryPolicy, connect

APART_S = 0.02


async def measure(address: str, after_s: float, seconds: float) -> dict[str, Any]:
    """A command every so often from then on, over a stream and as a call of its own, in turns."""
    asked_once = RetryPolicy(attempts_max=1)
    async with (
        connect(address, retry=asked_once) as streaming,
        connect(address, retry=asked_once, batching=False) as calling,
    ):
        for client in (streaming, calling):
            await _Told().ask(client)  # which connects
        await asyncio.sleep(after_s)
        told = {streaming: _Told(), calling: _Told()}
        end = time.monotonic() + seconds
        async with asyncio.TaskGroup() as group:
            while time.monotonic() < end:
                for client in told:
                    group.create_task(told[client].ask(client))
                    await asyncio.sleep(APART_S / 2)
    return {
        "stream_refused_p99_ms": told[streaming].p99_ms,
        "call_refused_p99_ms": told[calling].p99_ms,
        "without_advice": sum(each.without_advice for each in told.values()),
    }


class _Told:
    def __init__(self) -> None:
        self.refused_s: list[float] = []
        self.without_advice = 0

    @property
    def p99_ms(self) -> float:
        """Until it was refused; NaN if it never was."""
        return 1e3 * share_of(sorted(self.refused_s), 0.99)

    async def ask(self, client: Client) -> None:
        account = client.aggregate(BankAccount, "of nobody")
        begun = time.perf_counter()
        try:
            await account.execute(BankAccount.withdraw(1, booked_on=DAY))
        except Refused:
            pass
        except Overloaded as error:
            self.refused_s.append(time.perf_counter() - begun)
            self.without_advice += error.retry_after_s <= 0
