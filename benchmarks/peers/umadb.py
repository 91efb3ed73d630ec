"""UmaDB: conditional appends by threads, through its own client."""

import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.processes import Running, Unavailable, free_port, serving

DATA = b'{"amount":5,"booked_on":"2026-01-01"}'
EVENT_TYPE = "MoneyDeposited"
ACCOUNTS = 10_000
WARM_S = 0.5
STACK_BYTES = 256 * 1024
"""Of a calling thread: a thousand of them at the default would reserve 8 GB."""


def measure(address: str, pid: int, threads: int, seconds: float) -> dict[str, Any]:
    """Appends per second by so many threads at once, each of one event to an account of its own,
    on the condition that nobody wrote to that account since; and whether all of them are there."""
    import umadb

    threading.stack_size(STACK_BYTES)
    server = Running(address, pid)
    client = umadb.Client(f"http://{address}")
    start = threading.Barrier(threads + 1)
    times: list[list[tuple[float, float]]] = [[] for _ in range(threads)]

    def call(thread: int) -> None:
        tags = [[f"account-{n}"] for n in range(thread, ACCOUNTS, threads)]
        heads: list[int | None] = [None] * len(tags)
        taken = times[thread]
        start.wait()
        while True:
            turn = len(taken) % len(tags)
            begun = time.perf_counter()
            if begun >= end:
                return
            nobody_since = umadb.AppendCondition(
                umadb.Query([umadb.QueryItem(tags=tags[turn])]), after=heads[turn]
            )
            event = umadb.Event(EVENT_TYPE, DATA, tags=tags[turn])
            heads[turn] = client.append([event], nobody_since)
            taken.append((begun, time.perf_counter()))

    workers = [threading.Thread(target=call, args=(n,)) for n in range(threads)]
    for each in workers:
        each.start()
    begin = time.perf_counter() + WARM_S
    end = begin + seconds
    cpu_s, own_s = server.cpu_s(), time.process_time()
    start.wait()
    for each in workers:
        each.join()
    cpu_s, own_s = server.cpu_s() - cpu_s, time.process_time() - own_s
    done = sum(len(each) for each in times)
    counted = sorted(b - a for each in times for a, b in each if begin < b <= end)
    head = client.head()
    return {
        "per_second": len(counted) / seconds,
        "p50_ms": 1e3 * counted[len(counted) // 2],
        "p99_ms": 1e3 * counted[len(counted) * 99 // 100],
        "commits": done,
        "server_us": 1e6 * cpu_s / done,
        "client_us": 1e6 * own_s / done,
        "violations": []
        if head == done
        else [f"{done} appends were acknowledged, {head} are there"],
    }


@asynccontextmanager
async def server(data: Path) -> AsyncIterator[Running]:
    """Its server as it comes, which its Python package brings along. Raises Unavailable."""
    program = Path(sys.executable).with_name("umadb")
    if not program.exists():
        raise Unavailable("UmaDB is not installed: pip install 'gesta[bench]'")
    address = f"127.0.0.1:{free_port()}"
    command = (str(program), "--listen", address, "--db-path", str(data))
    async with serving(command, address) as running:
        yield running
