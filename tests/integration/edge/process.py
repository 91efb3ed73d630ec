"""A server as a process of its own, to be stopped, killed and measured."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

ROOT = Path(__file__).parents[3]
TALLY = "tests.integration.edge.tally"
TIMEOUT_S = 60.0
"""For a start or an end; it takes well under a second on a machine that is not busy."""


class ServerProcess:
    """A server that has said where it listens."""

    def __init__(self, process: Process, address: str, report: Path) -> None:
        self.address = address
        self._process = process
        self._report = report

    @property
    def pid(self) -> int:
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def ended(self) -> int:
        """Its exit code, once it has ended."""
        return await asyncio.wait_for(self._process.wait(), TIMEOUT_S)

    async def kill(self) -> None:
        """End it at once, as a power cut would, but for the disk's own cache."""
        if self._process.returncode is None:
            self._process.kill()
        await self.ended()

    def said(self) -> str:
        """Its log so far."""
        return self._report.read_text()

    @property
    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1_024


@asynccontextmanager
async def running(
    folder: Path, *options: str, target: str | None = TALLY, within: Sequence[str] = ()
) -> AsyncIterator[ServerProcess]:
    """A server on `folder`/data, killed at the end if it still runs."""
    process, report = await launch(folder, *options, target=target, within=within)
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), TIMEOUT_S)
        assert line.startswith(b"listening "), report.read_text()
        yield ServerProcess(process, line.decode().split()[1], report)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def launch(
    folder: Path, *options: str, target: str | None = TALLY, within: Sequence[str] = ()
) -> tuple[Process, Path]:
    """The process, which may not come to listen, and the file that it reports to. `within` is a
    command that becomes the one behind it, once it has made its surroundings."""
    folder.mkdir(parents=True, exist_ok=True)
    report = folder / "server.log"
    with report.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(
                *within,
                sys.executable,
                "-m",
                "gesta.server",
                "serve",
                *([target] if target else []),
            ),
            *("--data", str(folder / "data"), "--listen", "127.0.0.1:0", *options),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=stderr,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
        )
    return process, report
