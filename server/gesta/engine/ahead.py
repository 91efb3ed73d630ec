"""The next pages, read while one is being delivered: two at most.

With one the thread that reads and the event loop would take turns, though there are processors for
both: each keeps the interpreter's lock for a while, and the other is then late with its own part.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

T = TypeVar("T")

_READS_MAX = 2


class Ahead(Generic[T]):
    """Reads that are under way, or done and not taken. `drop` them when nobody reads on."""

    def __init__(
        self, following: Callable[[T], Coroutine[Any, Any, T] | None] = lambda found: None
    ) -> None:
        """`following` goes on behind what was read; None: nothing does for now."""
        self._following = following
        self._tasks: deque[asyncio.Task[T]] = deque()
        self._last: asyncio.Task[T] | None = None
        """Begun last, while something may follow it."""

    def begin(self, read: Coroutine[Any, Any, T]) -> None:
        """Start it. What it raises is raised by `take`, or by nobody."""
        self.drop()
        self._start(read)

    @property
    def begun(self) -> bool:
        return bool(self._tasks)

    async def take(self) -> T:
        """What was read first, once, or what that raised. A read must have begun."""
        task = self._tasks.popleft()
        self._go_on()
        try:
            return await task
        finally:
            task.cancel()  # if whoever waits was cancelled, nobody needs it any more

    def drop(self) -> None:
        """Forget them."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._last = None

    def _start(self, read: Coroutine[Any, Any, T]) -> None:
        task = self._last = asyncio.create_task(read)
        self._tasks.append(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[T]) -> None:
        """An error that nobody asks for is none: whoever reads on meets it again."""
        if not task.cancelled():
            task.exception()
        self._go_on()

    def _go_on(self) -> None:
        last = self._last
        if last is None or not last.done() or len(self._tasks) >= _READS_MAX:
            return
        self._last = None
        if not last.cancelled() and last.exception() is None:
            read = self._following(last.result())
            if read is not None:
                self._start(read)
