"""The engine alone: commands straight into it, over a log in memory. No gRPC, no disk."""

import asyncio
import time
from collections.abc import Iterator
from itertools import count

from examples.bank import BankAccount

from benchmarks.bank import AMOUNTS, DAY
from gesta.client.ids import CommandIds
from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError
from gesta.engine.messages import Accepted, Command
from gesta.server.tuning import tune
from gesta.server.wire import encode_event
from gesta.store import MemoryStore

WARM_S = 0.3

Work = tuple[str, str, bytes]
"""An account, a command and its arguments."""


async def measure(accounts: int, callers: int, seconds: float) -> dict[str, float]:
    """Microseconds of processor time for a deposit, of which so many are under way."""
    engine = await Engine.open(MemoryStore(), Catalog.of(BankAccount), encode_event)
    tune()
    asking = _Asking(engine)
    opening = BankAccount.open(1_000, booked_on=DAY).encode_arguments()
    openings = ((f"account-{n}", "open", opening) for n in range(accounts))
    await asking.all(openings, callers)
    deposits = [
        BankAccount.deposit(amount, booked_on=DAY).encode_arguments()
        for amount in range(1, 1 + AMOUNTS)
    ]

    def until(end: float) -> Iterator[Work]:
        for turn in count():
            if time.perf_counter() >= end:
                return
            yield f"account-{turn % accounts}", "deposit", deposits[turn % AMOUNTS]

    await asking.all(until(time.perf_counter() + WARM_S), callers)
    asked, cpu_s, begun = asking.answered, time.process_time(), time.perf_counter()
    await asking.all(until(begun + seconds), callers)
    asked, cpu_s = asking.answered - asked, time.process_time() - cpu_s
    taken = time.perf_counter() - begun
    await engine.close()
    return {"cpu_us": 1e6 * cpu_s / asked, "per_second": asked / taken}


class _Asking:
    """Callers without tasks of their own: as many commands as were answered are asked again, in one
    go, as a stream's frames bring them."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ids = CommandIds()
        self._free = 0
        self._freed = asyncio.Event()
        self._failed: EngineError | None = None
        self.answered = 0

    async def all(self, work: Iterator[Work], callers: int) -> None:
        """Returns when all is answered. Raises the engine's errors."""
        self._free, more = callers, True
        while more or self._free < callers:
            while more and self._free:
                asked = next(work, None)
                more = asked is not None
                if asked is not None:
                    self._free -= 1
                    command = Command("BankAccount", *asked, self._ids.draw(), self._take)
                    self._engine.commands.execute(command)
            self._freed.clear()
            if self._free < callers:
                await self._freed.wait()
        if self._failed is not None:
            raise self._failed

    def _take(self, answer: Accepted | EngineError) -> None:
        if isinstance(answer, EngineError):
            self._failed = answer
        self._free += 1
        self.answered += 1
        self._freed.set()
