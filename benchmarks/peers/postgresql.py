"""An event store that somebody makes at home on PostgreSQL: a table, and a transaction a command.

The condition is the primary key: a version that is taken already fails. No id of a command and no
reply is stored.
"""

import asyncio
import time
from itertools import count
from typing import Any

from benchmarks.record import share_of

WARM_S = 0.5
DATA = '{"amount":5,"booked_on":"2026-01-01"}'
TABLE = """
    CREATE TABLE events (
        position bigint GENERATED ALWAYS AS IDENTITY, aggregate_id text NOT NULL,
        version integer NOT NULL, event_type text NOT NULL, data jsonb NOT NULL,
        committed timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (aggregate_id, version))"""
INSERT = "INSERT INTO events (aggregate_id, version, event_type, data) VALUES ($1, $2, $3, $4)"


async def measure(url: str, accounts: int, callers: int, seconds: float) -> dict[str, Any]:
    """Conditional inserts per second, each a transaction of its own, by so many callers with a
    connection each; and whether all of them are there."""
    import asyncpg

    dsn = url.replace("postgresql+asyncpg", "postgresql") + "/postgres"
    turns, versions = count(), [0] * accounts
    done: list[tuple[float, float]] = []
    begin = time.perf_counter() + WARM_S
    async with asyncpg.create_pool(dsn, min_size=callers, max_size=callers) as pool:
        await pool.execute(TABLE)
        begin = time.perf_counter() + WARM_S
        end = begin + seconds

        async def caller() -> None:
            async with pool.acquire() as connection:
                for turn in turns:
                    begun = time.perf_counter()
                    if begun >= end:
                        return
                    n = turn % accounts
                    versions[n] += 1
                    await connection.execute(
                        INSERT, f"account-{n}", versions[n], "MoneyDeposited", DATA
                    )
                    done.append((begun, time.perf_counter()))

        await asyncio.gather(*(caller() for _ in range(callers)))
        stored = await pool.fetchval("SELECT count(*) FROM events")
    spans = sorted(b - a for a, b in done if begin < b <= end)
    return {
        "per_second": len(spans) / seconds,
        "p50_ms": 1e3 * share_of(spans, 0.5),
        "p99_ms": 1e3 * share_of(spans, 0.99),
        "violations": [] if stored == len(done) else [f"{stored} of {len(done)} are there"],
    }
