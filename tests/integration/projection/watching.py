"""A runner in the background, and whoever waits for its checkpoints."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gesta.projection import Checkpoint, ProjectionState, Runner

TIMEOUT_S = 60.0
"""For what takes well under a second; so that a test fails instead of waiting for ever."""


@contextlib.asynccontextmanager
async def running(runner: Runner) -> AsyncIterator[None]:
    task = asyncio.create_task(runner.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


class Commits:
    """Hears of every checkpoint."""

    def __init__(self) -> None:
        self.all: list[Checkpoint] = []
        self._moved = asyncio.Event()

    async def __call__(self, checkpoint: Checkpoint) -> None:
        self.all.append(checkpoint)
        self._moved.set()

    async def reach(self, position: int, state: ProjectionState | None = None) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while not self._has_reached(position, state):
                self._moved.clear()
                await self._moved.wait()

    def _has_reached(self, position: int, state: ProjectionState | None) -> bool:
        if not self.all or self.all[-1].position < position:
            return False
        return state is None or self.all[-1].state is state
