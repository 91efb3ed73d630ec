"""AppendEvents: many events at once, to many accounts, without a command."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count
from typing import Any
from uuid import UUID

from tests.history.history import History, Write

from benchmarks.bank import AMOUNTS, DEPOSITED, OPENED, full_log, told
from benchmarks.processes import Running
from gesta.client import Client, NewEvent, connect
from gesta.client.ids import CommandIds

STREAMS_PER_CALLER = 50
WARM_S = 0.5


async def measure(
    address: str, pid: int, events: int, callers: int, seconds: float
) -> dict[str, Any]:
    """Events per second in appends of so many by so many callers, each to fifty accounts of its
    own, which its first one opens."""
    server = Running(address, pid)
    history, ids = History(), CommandIds()
    moments: list[int] = []
    begin = time.monotonic_ns() + int(WARM_S * 1e9)
    end = begin + int(seconds * 1e9)
    async with connect(address) as client:

        async def caller(number: int) -> None:
            for turn in count():
                if time.monotonic_ns() >= end:
                    return
                writes = [_write(number, turn * events + n) for n in range(events)]
                await append(client, history, UUID(bytes=ids.draw()), writes)
                moments.append(time.monotonic_ns())

        cpu_s, own_s = server.cpu_s(), time.process_time()
        await asyncio.gather(*(caller(number) for number in range(callers)))
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
    client: Client, history: History, command_id: UUID, writes: Sequence[Write]
) -> None:
    """One append, recorded."""
    asked = history.invoke(command_id.bytes, writes)
    done = await client.append([NewEvent(*each) for each in writes], command_id=command_id)
    history.done(asked, done.position)


def _write(caller: int, number: int) -> Write:
    """The caller's events in turn over its accounts: each is opened, then paid into."""
    kind = OPENED if number < STREAMS_PER_CALLER else DEPOSITED
    account = f"append-{caller}-{number % STREAMS_PER_CALLER}"
    return kind.write(account, 1 + number % AMOUNTS)
