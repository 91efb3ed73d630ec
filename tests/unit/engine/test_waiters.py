"""Waiting to be woken: everyone is, and nobody stays for much longer than asked for."""

import asyncio

from tests.unit.engine.harness import settle

from gesta.engine.waiters import Waiters

LONG_S = 3_600


async def test_everyone_who_waits_is_woken_and_who_comes_later_is_not() -> None:
    waiters = Waiters()
    waiting = [asyncio.ensure_future(waiters.wait(LONG_S)) for _ in range(3)]
    await settle()
    waiters.wake()
    later = asyncio.ensure_future(waiters.wait(LONG_S))
    await asyncio.gather(*waiting)
    await settle()
    assert not later.done()
    later.cancel()


async def test_a_short_wait_ends_by_itself_whatever_others_wait_for() -> None:
    waiters = Waiters()
    before = asyncio.ensure_future(waiters.wait(LONG_S))
    await settle()
    short = asyncio.ensure_future(waiters.wait(0))
    await settle()
    after = asyncio.ensure_future(waiters.wait(LONG_S))
    await settle()
    await asyncio.wait_for(short, 60)
    assert not before.done()
    assert not after.done()
    waiters.wake()
    await asyncio.gather(before, after)


async def test_waits_of_different_lengths_end_in_their_order() -> None:
    waiters, ended = Waiters(), list[float]()

    async def wait(timeout_s: float) -> None:
        await waiters.wait(timeout_s)
        ended.append(timeout_s)

    async with asyncio.timeout(60):
        await asyncio.gather(*(wait(timeout_s) for timeout_s in (0.3, 0.0, 0.15)))
    assert ended == [0.0, 0.15, 0.3]


async def test_a_wait_ends_in_time_although_everyone_was_woken_meanwhile() -> None:
    waiters = Waiters()
    first = asyncio.ensure_future(waiters.wait(0.01))
    await settle()
    waiters.wake()
    await first
    await asyncio.wait_for(waiters.wait(0.02), 60)


async def test_a_wait_that_is_given_up_leaves_nothing_behind_and_others_waiting() -> None:
    waiters = Waiters()
    given_up, other = (asyncio.ensure_future(waiters.wait(LONG_S)) for _ in range(2))
    await settle()
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    assert given_up.cancelled()
    assert not other.done()
    assert len(waiters._until) == 1
    given_up_late = asyncio.ensure_future(waiters.wait(LONG_S))
    await settle()
    given_up_late.cancel()
    waiters.wake()  # in the step in which it is cancelled
    await asyncio.gather(other, given_up_late, return_exceptions=True)
    assert waiters._until == {}
