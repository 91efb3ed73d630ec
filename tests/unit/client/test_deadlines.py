"""One timer for all: who expires when, and how often all are looked at."""

import asyncio
from collections.abc import Iterable

from gesta.client.attempts import Attempts
from gesta.client.command_queue import Waiting
from gesta.client.deadlines import Deadlines
from gesta.client.errors import DeadlineExceeded
from gesta.client.retry import RetryBudget, RetryPolicy


def waiting(deadline: float) -> Waiting:
    attempts = Attempts(RetryPolicy(), RetryBudget(1), deadline, bytes(16))
    return Waiting(b"", b"", asyncio.get_running_loop().create_future(), attempts)


async def test_a_later_deadline_does_not_delay_an_earlier_one() -> None:
    now = asyncio.get_running_loop().time()
    late, soon = waiting(now + 1_000), waiting(now + 0.01)
    deadlines = Deadlines(lambda: (late, soon))
    for each in (late, soon):
        deadlines.watch(each.attempts.deadline)
    await asyncio.wait({soon.answer})
    assert isinstance(soon.answer.exception(), DeadlineExceeded)
    assert not late.answer.done()
    deadlines.stop()


async def test_thousands_of_deadlines_close_together_are_a_handful_of_looks() -> None:
    now = asyncio.get_running_loop().time()
    all_waiting = [waiting(now + n * 0.000_02) for n in range(1_000)]
    looks = 0

    def look() -> Iterable[Waiting]:
        nonlocal looks
        looks += 1
        return all_waiting

    deadlines = Deadlines(look)
    for each in all_waiting:
        deadlines.watch(each.attempts.deadline)
    await asyncio.wait({each.answer for each in all_waiting})
    assert looks <= 3
