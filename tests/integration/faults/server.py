"""`gesta serve` on a port that it can have again, or on a small disk."""

import asyncio
import os
import random
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.integration.edge.process import TALLY, TIMEOUT_S, ServerProcess, launch, running

_LOCAL_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_ON_A_SMALL_DISK = 'mount -t tmpfs -o size="$1" none "$0" && shift && exec "$@"'


def lasting_address() -> str:
    """A free address for a server that will be restarted there.

    Its port is none that the system gives to connections: a client that knocks at such a port while
    the server is down may be given that very port for its own end, and meet itself.
    """
    lowest = int(_LOCAL_PORTS.read_text().split()[0])
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
async def serving_at(
    address: str, folder: Path, target: str = TALLY
) -> AsyncIterator[ServerProcess]:
    """A server of Tally on `folder`/data, killed at the end if it still runs."""
    async with running(folder, "--listen", address, target=target) as server:
        yield server


async def refused(folder: Path, *options: str) -> tuple[int, str]:
    """The exit code of a server that does not come to serve, and what it said."""
    process, report = await launch(folder, *options)
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"", "it serves"
        return await asyncio.wait_for(process.wait(), TIMEOUT_S), report.read_text()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class SmallDisk:
    """The data directory of a server on a disk of `kib`, which nobody else sees and which goes with
    the process. Skips the test where the system does not let us mount one."""

    def __init__(self, folder: Path, kib: int) -> None:
        self._data = folder / "data"
        self._data.mkdir(parents=True)
        inside = ("unshare", "--mount", "--map-root-user")
        made = ("sh", "-c", _ON_A_SMALL_DISK, str(self._data), f"{kib}k")
        self.within: Sequence[str] = (*inside, *made)
        """For `running`."""
        if shutil.which("unshare") is None or subprocess.run([*self.within, "true"]).returncode:
            pytest.skip("no disk can be mounted here: unshare --mount --map-root-user is refused")

    def fill(self, server: ServerProcess, kib_left: int) -> None:
        """All but so much."""
        free = os.statvfs(self._filler(server).parent)
        with self._filler(server).open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free.f_bavail * free.f_frsize - kib_left * 1024)

    def make_room(self, server: ServerProcess) -> None:
        """Undo `fill`."""
        self._filler(server).unlink()

    def _filler(self, server: ServerProcess) -> Path:
        return Path(f"/proc/{server.pid}/root") / self._data.relative_to("/") / "filler"
