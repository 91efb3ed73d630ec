"""A short queue: in order, never too long, and nothing is lost with whoever gives up."""

import asyncio

import pytest
from tests.unit.engine.harness import settle

from gesta.client.handover import Handover


async def test_what_is_put_is_taken_in_order() -> None:
    handover = Handover[int](3)
    for each in (1, 2, 3):
        await handover.put(each)
    assert [await handover.take() for _ in range(3)] == [1, 2, 3]


async def test_putting_waits_for_room() -> None:
    handover = Handover[int](1)
    await handover.put(1)
    second = asyncio.ensure_future(handover.put(2))
    await settle()
    assert not second.done()
    assert await handover.take() == 1
    await second
    assert await handover.take() == 2


async def test_putting_now_waits_for_nothing() -> None:
    handover = Handover[int](1)
    for each in (1, 2):
        handover.put_now(each)
    assert [await handover.take() for _ in range(2)] == [1, 2]


async def test_whoever_is_cancelled_has_taken_nothing() -> None:
    handover = Handover[int](1)
    first, second = (asyncio.ensure_future(handover.take()) for _ in range(2))
    await settle()
    handover.put_now(1)
    first.cancel()  # woken already, and not yet run
    with pytest.raises(asyncio.CancelledError):
        await first
    assert await second == 1


async def test_a_put_that_is_cancelled_has_put_nothing_and_hinders_no_other() -> None:
    handover = Handover[int](1)
    await handover.put(1)
    waits = asyncio.ensure_future(handover.put(2))
    await settle()
    waits.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waits
    assert await handover.take() == 1
    await handover.put(3)
    assert await handover.take() == 3


async def test_of_two_who_wait_each_gets_one() -> None:
    handover = Handover[int](2)
    waiting = [asyncio.ensure_future(handover.take()) for _ in range(2)]
    await settle()
    await handover.put(1)
    await handover.put(2)
    assert sorted(await asyncio.gather(*waiting)) == [1, 2]


async def test_clearing_makes_room_for_whoever_waits_to_put() -> None:
    handover = Handover[int](1)
    await handover.put(1)
    waits = asyncio.ensure_future(handover.put(2))
    await settle()
    handover.clear()
    await waits
    assert await handover.take() == 2
