"""A runner in the background, and whoever waits for its checkpoints."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from gesta.projection import Checkpoint, ProjectionState, Runner


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
        while (
            not self.all
            or self.all[-1].position < position
            or (state is not None and self.all[-1].state is not state)
        ):
            self._moved.clear()
            await self._moved.wait()
