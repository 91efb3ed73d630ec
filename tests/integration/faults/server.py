"""`gesta serve` on a port that it can have again."""

import random
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.integration.edge.process import ServerProcess, running


def lasting_address() -> str:
    """A free address for a server that will be restarted there.

    Its port is none that the system gives to connections. A client that knocks at such a port
    while the server is down may be given that very port for its own end, and is then connected
    with itself; it also may go to anybody else meanwhile.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(10_000, lowest)
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
        return f"127.0.0.1:{port}"


@asynccontextmanager
async def serving_at(address: str, folder: Path, *options: str) -> AsyncIterator[ServerProcess]:
    """A server of Tally on `folder`/data, killed at the end if it still runs."""
    async with running(folder, *options, "--listen", address) as server:
        yield server
