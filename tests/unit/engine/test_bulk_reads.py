"""Bulk reads: what is there up to the head, all of it, in either direction."""

import asyncio
from itertools import pairwise

import pytest
from tests.unit.engine.harness import Running, Start, positions, settle
from tests.unit.engine.tally import add, ask

from gesta.engine.errors import CorruptEvent
from gesta.engine.limits import Limits
from gesta.engine.reading import ReadRequest
from gesta.engine.views import View
from gesta.store.port import CorruptLog

SMALL_PAGES = Limits(scan_page_events=3)


async def read(
    run: Running, head: int, *, of: str = "", backwards: bool = False, limit: int | None = None
) -> list[int]:
    """The positions that a reader gets who was told of this head."""
    request = ReadRequest(
        View(run.engine.evolving), "Tally" if of else "", of, backwards=backwards, limit=limit
    )
    found: list[int] = []
    async for frame in run.engine.reading.frames(request, head):
        found += positions(frame)
    return found


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("newer", range(8))
async def test_events_of_an_aggregate_beyond_the_head_hide_none_before_it(
    start: Start, backwards: bool, newer: int
) -> None:
    run = await start(SMALL_PAGES)
    for _ in range(4):
        await run.tell("a", add()).accepted()
    head = run.engine.head
    for _ in range(newer):  # committed after the head was looked at: up to more than two pages
        await run.tell("a", add()).accepted()
    found = await read(run, head, of="a", backwards=backwards)
    assert found == ([4, 3, 2, 1] if backwards else [1, 2, 3, 4])


@pytest.mark.parametrize("backwards", [False, True])
async def test_a_read_of_an_aggregate_comes_to_the_end_of_its_stream(
    start: Start, backwards: bool
) -> None:
    run = await start(SMALL_PAGES)
    for number in range(8):
        await run.tell("ab"[number % 2], add()).accepted()
    found = await read(run, 8, of="b", backwards=backwards)
    assert found == ([8, 6, 4, 2] if backwards else [2, 4, 6, 8])


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("of", ["", "a"])
@pytest.mark.parametrize("limit", range(1, 13))
async def test_a_limit_ends_with_a_command_unless_the_first_alone_exceeds_it(
    start: Start, backwards: bool, of: str, limit: int
) -> None:
    run = await start(SMALL_PAGES)
    sizes = [2, 1, 5, 2]
    for size in sizes:
        await run.tell("a", ask("flood", count=size)).accepted()
    found = await read(run, 10, of=of, backwards=backwards, limit=limit)
    ordered = sizes[::-1] if backwards else sizes
    ends = [sum(ordered[:n]) for n in range(1, 5)]
    expected = max((end for end in ends if end <= limit), default=limit)
    every = list(range(10, 0, -1)) if backwards else list(range(1, 11))
    assert found == every[:expected]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("frame_bytes", range(1, 200, 9))
async def test_a_frame_ends_with_a_command_unless_one_alone_exceeds_it(
    start: Start, backwards: bool, frame_bytes: int
) -> None:
    run = await start(Limits(scan_page_events=5, frame_bytes_max=frame_bytes))
    sizes = [2, 1, 5, 2]
    for size in sizes:
        await run.tell("a", ask("flood", count=size)).accepted()
    whose = [n for n, size in enumerate(sizes) for _ in range(size)]
    request = ReadRequest(View(run.engine.evolving), backwards=backwards)
    frames = [frame async for frame in run.engine.reading.frames(request, 10)]
    every = [position for frame in frames for position in positions(frame)]
    assert every == (list(range(10, 0, -1)) if backwards else list(range(1, 11)))
    for frame, following in pairwise(frames):
        first, last = (whose[each - 1] for each in positions([frame[0], frame[-1]]))
        goes_on = whose[positions(following)[0] - 1] == last
        assert not goes_on or first == last  # only a command that began the frame is parted
        assert not goes_on or sum(map(len, frame)) + len(following[0]) > frame_bytes
    assert all(sum(map(len, frame)) <= frame_bytes or len(frame) == 1 for frame in frames)


async def test_the_log_is_read_two_pages_ahead_and_nothing_beyond_the_head(start: Start) -> None:
    run = await start(Limits(scan_page_events=3, frame_bytes_max=50))
    for _ in range(20):
        await run.tell("a", add()).accepted()
    frames = run.engine.reading.frames(ReadRequest(View(run.engine.evolving)), 17)
    found = positions(await anext(frames))
    await settle()
    assert run.store.pages_read == 3
    async for frame in frames:
        found += positions(frame)
        await settle()
    assert found == list(range(1, 18))
    assert run.store.pages_read == 6


async def test_a_read_that_is_left_lets_go_of_the_pages_that_are_being_read(start: Start) -> None:
    run = await start(SMALL_PAGES)
    for _ in range(20):
        await run.tell("a", add()).accepted()
    frames = run.engine.reading.frames(ReadRequest(View(run.engine.evolving)), 20)
    run.store.pages.close()
    first = asyncio.ensure_future(anext(frames))
    await run.store.pages.arrived()
    run.store.pages.let()
    await first
    await settle()
    (ahead,) = run.store.pages.held()
    await frames.aclose()
    await settle()
    assert ahead.cancelled()


async def test_a_damaged_page_is_told_of_behind_the_events_before_it(start: Start) -> None:
    run = await start(SMALL_PAGES)
    for _ in range(20):
        await run.tell("a", add()).accepted()
    run.store.page_errors.extend([None, None, CorruptLog("damaged", 8)])
    found: list[int] = []
    frames = run.engine.reading.frames(ReadRequest(View(run.engine.evolving)), 20)
    while len(found) < 6:
        found += positions(await anext(frames))
    with pytest.raises(CorruptEvent) as raised:
        await anext(frames)
    assert raised.value.position == 8
    assert found == list(range(1, 7))
