"""A bank server of one's own: `gesta serve examples.bank` as a process, while it is needed."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]  # where `examples.bank` is importable from
START_TIMEOUT_S = 30.0  # a start takes under a second, on a machine that is not busy
STOP_TIMEOUT_S = 30.0  # a stop answers what is waiting first


class StartError(Exception):
    """The server did not start. The text is what it said."""


@contextlib.asynccontextmanager
async def local_server(folder: Path) -> AsyncGenerator[str, None]:
    """Serves the bank on a free port; yields HOST:PORT, and stops the server at the end.

    The log is in `folder`/data, and what the server reports in `folder`/server.log; neither is
    removed, so that the next server can go on with them. Raises StartError.
    """
    with _report_file(folder) as report:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gesta.server", "serve", "examples.bank"),
            *("--data", str(folder / "data"), "--listen", "127.0.0.1:0"),
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=report,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])},
            start_new_session=True,  # Ctrl-C is for us alone; we stop the server when we are done
        )
        try:
            yield await _address(server, report)
        finally:
            await _stop(server)


def _report_file(folder: Path) -> IO[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / "server.log").open("w+b")


async def _address(server: Process, report: IO[bytes]) -> str:
    assert server.stdout is not None
    try:
        line = await asyncio.wait_for(server.stdout.readline(), START_TIMEOUT_S)
    except TimeoutError:
        line = b""
    if not line.startswith(b"listening "):
        report.seek(0)
        said = report.read().decode(errors="replace").strip()
        raise StartError(said or "the server said nothing")
    return line.decode().split()[1]


async def _stop(server: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        server.terminate()
    try:
        await asyncio.wait_for(server.wait(), STOP_TIMEOUT_S)
    except TimeoutError:
        server.kill()
        await server.wait()
