"""The next page, read while this one is being delivered.

One page at a time: a reader holds the page that it delivers and at most this one.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Ahead(Generic[T]):
    """At most one read that is under way, or done and not taken. `drop` it when nobody reads on."""

    def __init__(self) -> None:
        self._task: asyncio.Task[T] | None = None

    def begin(self, read: Coroutine[Any, Any, T]) -> None:
        """Start it. What it raises is raised by `take`, or by nobody."""
        self.drop()
        self._task = asyncio.create_task(read)
        self._task.add_done_callback(_heard)

    @property
    def begun(self) -> bool:
        return self._task is not None

    async def take(self) -> T:
        """What was read, once, or what that raised. A read must have begun."""
        task, self._task = self._task, None
        assert task is not None, "begin"
        try:
            return await task
        finally:
            task.cancel()  # if whoever waits was cancelled, nobody needs it any more

    def drop(self) -> None:
        """Forget it."""
        if self._task is not None:
            self._task.cancel()
            self._task = None


def _heard(task: asyncio.Task[Any]) -> None:
    """An error that nobody asked for is none: whoever reads on meets it again."""
    if not task.cancelled():
        task.exception()
