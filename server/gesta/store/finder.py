"""Streams that are looked for at the same time, in one hop to a reader.

A hop of its own for each load costs 100 µs of processor time, nearly as much as what it fetches: a
job, a future, a byte through a pipe to wake the event loop, and threads that take the interpreter
lock from each other. So whatever is asked for in one turn of the loop goes together, and what is
asked for while all readers are busy waits for the next of them.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import NamedTuple, cast

from gesta.store.port import CorruptLog, StorageFailed, StreamHead

TOGETHER_MAX = 16
"""Streams in one job: two milliseconds' work, of which the hop is a twentieth."""


class Sought(NamedTuple):
    """The stream that is looked for, as in `EventStore.find_stream`."""

    aggregate_type: str
    aggregate_id: str
    events_max: int


Answer = StreamHead | CorruptLog | None
FindSome = Callable[[Sequence[Sought]], Awaitable[Sequence[Answer]]]
"""Answers the first of what it is given, one at least; the rest is asked for again."""


class _Waiting(NamedTuple):
    sought: Sought
    found: "asyncio.Future[StreamHead | None]"


class Finder:
    """Collects what is looked for, and answers each by itself: a damaged stream fails alone.

    There are at most `jobs_max` jobs at once: as many as there are readers, so that none of them
    waits in the line of one while another is free.
    """

    def __init__(self, find_some: FindSome, jobs_max: int) -> None:
        self._find_some = find_some
        self._jobs_max = jobs_max
        self._waiting: deque[_Waiting] = deque()
        self._jobs: set[asyncio.Task[None]] = set()

    async def find(self, sought: Sought) -> StreamHead | None:
        """Raises CorruptLog, and whatever `find_some` raises."""
        loop = asyncio.get_running_loop()
        waiting = _Waiting(sought, loop.create_future())
        self._waiting.append(waiting)
        if len(self._jobs) < self._jobs_max:
            # A task begins with the next turn; what is asked for until then goes with it.
            self._jobs.add(loop.create_task(self._work()))
        return await waiting.found

    def abandon(self) -> None:
        """No answer comes any more: all that wait hear StorageFailed."""
        for job in self._jobs:
            job.cancel()
        self._jobs.clear()  # one that has not begun never ends itself
        self._fail_all()

    async def _work(self) -> None:
        try:
            while some := self._take():
                await self._do(some)
        finally:
            # In the step that found nobody waiting: whoever asks next must see that it has ended.
            self._jobs.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _do(self, some: list[_Waiting]) -> None:
        try:
            answers = await self._find_some([each.sought for each in some])
        except Exception as error:
            _fail(some, error)
            return
        except BaseException:
            _fail(some, StorageFailed("the store was given up"))
            self._fail_all()
            raise
        for each, answer in zip(some, answers, strict=False):
            if each.found.done():  # whoever waited has left
                continue
            if isinstance(answer, CorruptLog):
                each.found.set_exception(answer)
            else:
                each.found.set_result(answer)
        self._waiting.extendleft(reversed(some[len(answers) :]))

    def _take(self) -> list[_Waiting]:
        some: list[_Waiting] = []
        while self._waiting and len(some) < TOGETHER_MAX:
            each = self._waiting.popleft()
            if not each.found.done():
                some.append(each)
        return some

    def _fail_all(self) -> None:
        some, self._waiting = self._waiting, deque()
        _fail(some, StorageFailed("the store was given up"))


def _fail(some: Iterable[_Waiting], error: Exception) -> None:
    """A failure of the store is made anew for each, as every raise adds to its traceback."""
    for each in some:
        if not each.found.done():
            again = isinstance(error, StorageFailed)
            each.found.set_exception(StorageFailed(*error.args) if again else error)
