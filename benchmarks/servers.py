"""Starts a process that prints `listening HOST:PORT`, and stops it again."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_START_S = 30
_STOP_S = 30


@asynccontextmanager
async def running(*arguments: str) -> AsyncIterator[str]:
    """The address of `python -m ARGUMENTS`, which is stopped at the end by the signal that asks."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_S):
            line = (await process.stdout.readline()).decode()
        if not line.startswith("listening "):
            raise RuntimeError(f"python -m {' '.join(arguments)} did not start: {line!r}")
        yield line.split()[1]
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
