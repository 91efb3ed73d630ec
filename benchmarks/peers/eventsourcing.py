"""Python's `eventsourcing` on SQLite: a library, so what calls it and what it does are one process.

Aggregates stay in its cache: without it every command would replay its aggregate from the log.
"""

import os
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.processes import Unavailable
from benchmarks.record import share_of

WARM_S = 0.5


def check_installed() -> None:
    """Raises Unavailable."""
    if find_spec("eventsourcing") is None:
        raise Unavailable("it is not installed: pip install 'gesta[bench]'")


def measure(data: str, accounts: int, seconds: float) -> dict[str, Any]:
    """Deposits per second over so many accounts by one caller; SQLite has one writer anyway."""
    os.environ.update(
        PERSISTENCE_MODULE="eventsourcing.sqlite",
        SQLITE_DBNAME=str(Path(data) / "eventsourcing.sqlite"),
        AGGREGATE_CACHE_MAXSIZE=str(accounts),
    )
    from eventsourcing.application import Application
    from eventsourcing.domain import Aggregate, event

    class Account(Aggregate):  # type: ignore[misc]  # untyped where it is not installed
        @event("AccountOpened")  # type: ignore[untyped-decorator]
        def __init__(self, balance: int) -> None:
            self.balance = balance

        @event("MoneyDeposited")  # type: ignore[untyped-decorator]
        def deposit(self, amount: int) -> None:
            self.balance += amount

    bank = Application()
    ids = []
    for _ in range(accounts):
        account = Account(1_000)
        bank.save(account)
        ids.append(account.id)
    begin = time.perf_counter() + WARM_S
    done: list[tuple[float, float]] = []
    while (begun := time.perf_counter()) < begin + seconds:
        account = bank.repository.get(ids[len(done) % accounts])
        account.deposit(5)
        bank.save(account)
        done.append((begun, time.perf_counter()))
    spans = sorted(b - a for a, b in done if begin < b)
    return {
        "per_second": len(spans) / seconds,
        "p50_ms": 1e3 * share_of(spans, 0.5),
        "p99_ms": 1e3 * share_of(spans, 0.99),
    }
