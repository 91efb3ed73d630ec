"""AppendEvents: many events at once, to many accounts, without a command."""

import asyncio
import time
from itertools import count
from typing import Any
from uuid import UUID

from tests.history.history import History, Write

from benchmarks.bank import AMOUNTS, DEPOSITED, OPENED, full_log, told
from benchmarks.processes import Running
from gesta.client import Client, NewEvent, connect
from gesta.client.ids import CommandIds

STREAMS_PER_APPEND = 50
WARM_S = 0.5


async def measure(
    address: str, pid: int, events: int, callers: int, seconds: float
) -> dict[str, Any]:
    """Events per second in appends of so many, over fifty accounts each, by so many callers."""
    server = Running(address, pid)
    history, ids, turns = History(), CommandIds(), count()
    moments: list[int] = []
    begin = time.monotonic_ns() + int(WARM_S * 1e9)
    end = begin + int(seconds * 1e9)
    async with connect(address) as client:

        async def caller() -> None:
            while time.monotonic_ns() < end:
                await append(client, history, UUID(bytes=ids.draw()), next(turns), events)
                moments.append(time.monotonic_ns())

        cpu_s, own_s = server.cpu_s(), time.process_time()
        await asyncio.gather(*(caller() for _ in range(callers)))
        cpu_s, own_s = server.cpu_s() - cpu_s, time.process_time() - own_s
        broken = told(history, await full_log(client))
    counted = sum(events for each in moments if begin < each <= end)
    written = events * len(moments)
    return {
        "per_second": counted / seconds,
        "server_us": 1e6 * cpu_s / written,
        "client_us": 1e6 * own_s / written,
        "violations": broken,
    }


async def append(
    client: Client, history: History, command_id: UUID, turn: int, events: int
) -> None:
    """One append, to accounts that nobody else writes to: each opened, then paid into."""
    writes = [_write(turn, n) for n in range(events)]
    asked = history.invoke(command_id.bytes, writes)
    done = await client.append([NewEvent(*each) for each in writes], command_id=command_id)
    history.done(asked, done.position)


def _write(turn: int, number: int) -> Write:
    account = f"append-{turn}-{number % STREAMS_PER_APPEND}"
    kind = OPENED if number < STREAMS_PER_APPEND else DEPOSITED
    return kind.write(account, 1 + number % AMOUNTS)
