"""The finder: what is looked for at the same time goes together, and is answered each by itself."""

import asyncio
from collections.abc import Sequence
from functools import cache

import pytest
from tests.unit.engine.harness import settle

from gesta.store.finder import TOGETHER_MAX, Answer, Finder, Sought
from gesta.store.port import CorruptLog, StorageFailed, Stream, StreamHead


class Jobs:
    """What was asked of a store, job by job; each is answered when a test says so."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self._answers: list[asyncio.Future[Sequence[Answer]]] = []

    async def find_some(self, some: Sequence[Sought]) -> Sequence[Answer]:
        self.asked.append([each.aggregate_id for each in some])
        self._answers.append(asyncio.get_running_loop().create_future())
        return await self._answers[-1]

    def answer(self, job: int, *answers: Answer) -> None:
        self._answers[job].set_result(answers)

    def fail(self, job: int, error: Exception) -> None:
        self._answers[job].set_exception(error)


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def finder(jobs: Jobs) -> Finder:
    return Finder(jobs.find_some, jobs_max=1)


def find(finder: Finder, *ids: str) -> "list[asyncio.Task[StreamHead | None]]":
    return [asyncio.ensure_future(finder.find(Sought("Tally", each, 9))) for each in ids]


@cache
def head(aggregate_id: str) -> StreamHead:
    return StreamHead(Stream("Tally", aggregate_id, 1), 1, [])


async def test_what_is_asked_for_in_one_turn_goes_together(jobs: Jobs, finder: Finder) -> None:
    found = find(finder, "a", "b")
    await settle()
    assert jobs.asked == [["a", "b"]]
    jobs.answer(0, head("a"), None)
    assert await asyncio.gather(*found) == [head("a"), None]


async def test_what_is_asked_for_meanwhile_goes_with_the_next_job(
    jobs: Jobs, finder: Finder
) -> None:
    first = find(finder, "a")
    await settle()
    others = find(finder, "b", "c")
    await settle()
    assert jobs.asked == [["a"]]
    jobs.answer(0, None)
    await settle()
    assert jobs.asked == [["a"], ["b", "c"]]
    jobs.answer(1, None, None)
    assert await asyncio.gather(*first, *others) == [None, None, None]


async def test_a_job_is_bounded_and_the_rest_follows_in_order(jobs: Jobs, finder: Finder) -> None:
    ids = [str(n) for n in range(TOGETHER_MAX + 2)]
    found = find(finder, *ids)
    await settle()
    jobs.answer(0, *[None] * TOGETHER_MAX)
    await settle()
    jobs.answer(1, None, None)
    await asyncio.gather(*found)
    assert jobs.asked == [ids[:TOGETHER_MAX], ids[TOGETHER_MAX:]]


async def test_there_are_as_many_jobs_at_once_as_were_allowed(jobs: Jobs) -> None:
    finder = Finder(jobs.find_some, jobs_max=2)
    found = []
    for each in "abc":
        found += find(finder, each)
        await settle()
    assert jobs.asked == [["a"], ["b"]]
    jobs.answer(1, None)
    await settle()
    assert jobs.asked == [["a"], ["b"], ["c"]]
    for job in (0, 2):
        jobs.answer(job, None)
    await asyncio.gather(*found)


async def test_what_a_job_leaves_out_is_asked_for_again_before_all_else(
    jobs: Jobs, finder: Finder
) -> None:
    found = find(finder, "a", "b", "c")
    await settle()
    found += find(finder, "d")
    await settle()
    jobs.answer(0, head("a"))
    await settle()
    assert found[0].done()  # the others do not hold it up
    assert jobs.asked[1] == ["b", "c", "d"]
    jobs.answer(1, None, None, None)
    assert await asyncio.gather(*found) == [head("a"), None, None, None]


async def test_damage_is_told_to_those_alone_who_asked_for_it(jobs: Jobs, finder: Finder) -> None:
    damaged, well = find(finder, "a", "b")
    await settle()
    jobs.answer(0, CorruptLog("bad checksum", 7), head("b"))
    assert await well == head("b")
    with pytest.raises(CorruptLog):
        await damaged


async def test_a_failure_is_told_to_all_in_the_job_and_the_next_are_tried(
    jobs: Jobs, finder: Finder
) -> None:
    found = find(finder, "a", "b")
    await settle()
    (after,) = find(finder, "c")
    await settle()
    jobs.fail(0, StorageFailed("disk I/O error"))
    errors = await asyncio.gather(*found, return_exceptions=True)
    assert [str(each) for each in errors] == ["disk I/O error"] * 2
    assert errors[0] is not errors[1]
    jobs.answer(1, None)
    assert await after is None


async def test_nobody_looks_for_those_who_have_left(jobs: Jobs, finder: Finder) -> None:
    (first,) = find(finder, "a")
    await settle()
    others = find(finder, "b", "c")
    await settle()
    for each in (first, others[0]):
        each.cancel()
    await settle()
    jobs.answer(0, head("a"))
    await settle()
    assert jobs.asked == [["a"], ["c"]]
    jobs.answer(1, head("c"))
    assert await others[1] == head("c")


async def test_a_store_that_is_given_up_tells_all_who_wait(jobs: Jobs, finder: Finder) -> None:
    found = find(finder, "a")
    await settle()
    found += find(finder, "b")
    await settle()
    finder.abandon()
    errors = await asyncio.gather(*found, return_exceptions=True)
    assert [type(each) for each in errors] == [StorageFailed, StorageFailed]


async def test_who_asks_in_the_turn_in_which_a_job_ends_is_answered(
    jobs: Jobs, finder: Finder
) -> None:
    async def ask_twice() -> None:
        for each in "ab":
            await finder.find(Sought("Tally", each, 9))

    asking = asyncio.ensure_future(ask_twice())
    for job in range(2):
        await settle()
        assert len(jobs.asked) == job + 1
        jobs.answer(job, None)
    await asking
