"""Durable commands: each is answered after its fsync, its id and its reply stored beside it."""

import time
from typing import Any

from benchmarks.bank import Accounts, violations
from benchmarks.processes import Running
from gesta.client import connect

WARM_S = 0.5
"""Not counted: the first frames, and code that has not run yet."""


async def measure(
    address: str, pid: int, accounts: int, callers: int, seconds: float, batching: bool = True
) -> dict[str, Any]:
    """So many callers on so many accounts, and whether the server kept its word to them.

    `batching` as in the client's options: without it every command is a call of its own."""
    server = Running(address, pid)
    async with connect(address) as opener, connect(address, batching=batching) as client:
        opened = Accounts(opener, "account", accounts)
        await opened.open()
        load = Accounts(client, "account", accounts)
        load.openings = opened.openings
        begin = time.monotonic_ns() + int(WARM_S * 1e9)
        end = begin + int(seconds * 1e9)
        cpu_s, own_s = server.cpu_s(), time.process_time()
        await load.pay_in(callers, end)
        cpu_s, own_s = server.cpu_s() - cpu_s, time.process_time() - own_s
        broken = await violations(opener, load)
    commands = len(load.deposits.invoked)
    return load.deposits.figures(begin, end) | {
        "commands": commands,
        "server_us": 1e6 * cpu_s / commands,
        "client_us": 1e6 * own_s / commands,
        "violations": broken,
    }
