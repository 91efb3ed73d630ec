"""Servers and load clients, each a process of its own, started and stopped here."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SAID = ROOT / "build" / "benchmarks.log"
"""What the servers under measurement print."""
START_S = 60
"""A server of ten million events starts within a second; PostgreSQL and Restate take some."""
STOP_S = 60
MEASURE_S = 600
"""Whatever a load client does is over by then; but for the soak, which says how long it is."""

_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Unavailable(Exception):
    """A peer or tool that cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Running:
    """A process under way."""

    address: str
    pid: int

    def cpu_s(self) -> float:
        """Seconds of processor time so far, all threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def first_thread_cpu_s(self) -> float:
        """The same of the first thread alone, which in our servers runs the event loop."""
        stat = Path(f"/proc/{self.pid}/task/{self.pid}/schedstat")
        return int(stat.read_text("utf-8").split()[0]) / 1e9

    def rss_bytes(self) -> int:
        """Memory in use that is not swapped out."""
        return int(Path(f"/proc/{self.pid}/statm").read_text("utf-8").split()[1]) * _PAGE_BYTES

    def open_files(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))


@asynccontextmanager
async def running(*arguments: str, before: Sequence[str] = ()) -> AsyncIterator[Running]:
    """`python -m ARGUMENTS`, a process that prints `listening HOST:PORT`; stopped at the end.

    `before` is a command that runs it, strace say. Raises RuntimeError if it does not start."""
    words = [*before, sys.executable, "-m", *arguments]
    SAID.parent.mkdir(exist_ok=True)
    with SAID.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=said, cwd=ROOT
        )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_S):
            line = (await process.stdout.readline()).decode()
        if not line.startswith("listening "):
            raise RuntimeError(f"python -m {' '.join(arguments)} did not start; see {SAID}")
        yield Running(line.split()[1], process.pid)
    finally:
        await stop(process)


@asynccontextmanager
async def serving(
    command: Sequence[str], address: str, environment: Mapping[str, str] | None = None
) -> AsyncIterator[Running]:
    """A program that is there when it takes connections at `address`; stopped at the end.

    Raises RuntimeError if it does not start. What it prints is thrown away."""
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        env={**os.environ, **(environment or {})},
    )
    try:
        await _listening(process, address)
        yield Running(address, process.pid)
    finally:
        await stop(process)


async def _listening(process: asyncio.subprocess.Process, address: str) -> None:
    host, _, port = address.rpartition(":")
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.returncode is None:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise RuntimeError(f"{address} did not take a connection; the process: {process.returncode}")


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        port: int = trial.getsockname()[1]
        return port


async def stop(process: asyncio.subprocess.Process) -> None:
    """By the signal that asks; by the one that does not, if that takes too long."""
    if process.returncode is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        async with asyncio.timeout(STOP_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()


async def measured(module: str, timeout_s: float = MEASURE_S, **arguments: Any) -> dict[str, Any]:
    """What `benchmarks.MODULE.measure(**arguments)` returns, run as a process of its own.

    Raises RuntimeError if it fails, TimeoutError if it takes too long; it is ended either way."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.client", module),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, "GRPC_ENABLE_FORK_SUPPORT": "0"},  # some start processes, none forks
    )
    try:
        async with asyncio.timeout(timeout_s):
            out, _ = await process.communicate(json.dumps(arguments).encode())
    finally:
        await stop(process)
    if process.returncode != 0:
        raise RuntimeError(f"the client {module} ended with {process.returncode}")
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found
