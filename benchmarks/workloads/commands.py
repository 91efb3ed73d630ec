"""Durable commands: each is answered after its fsync, its id and its reply stored beside it."""

import time
from typing import Any

from tests.history.history import History

from benchmarks.bank import Accounts, full_log, told
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
        before = _used(server)
        await load.pay_in(callers, end)
        server_us, loop_us, client_us = (
            1e6 * (after - earlier) / len(load.deposits.invoked)
            for earlier, after in zip(before, _used(server), strict=True)
        )
        log = await full_log(opener)
    history = History()
    load.add_to(history)
    commands = len(load.deposits.invoked)
    return load.deposits.figures(begin, end) | {
        "commands": commands,
        "commands_per_commit": commands / len({each.commit_time_us for each in log[accounts:]}),
        "server_us": server_us,
        "loop_us": loop_us,
        "client_us": client_us,
        "violations": told(history, log),
    }


def _used(server: Running) -> tuple[float, float, float]:
    """Seconds of processor time so far: the server's, its loop's, and our own."""
    return server.cpu_s(), server.first_thread_cpu_s(), time.process_time()
