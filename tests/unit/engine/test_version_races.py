"""Expected versions: of those who expect the same one, exactly one wins."""

import asyncio
from itertools import product

import pytest
from tests.unit.engine.harness import Running, Start, at_version, settle
from tests.unit.engine.tally import add

from gesta.engine.errors import EngineError, VersionConflict
from gesta.engine.messages import Accepted

OLD, FRESH, APPEND = "an old id", "a fresh id", "an append"
WRITERS = list(product([OLD, FRESH, APPEND], repeat=2))


async def write(run: Running, kind: str) -> Accepted | EngineError:
    """One writer who expects version 1."""
    if kind == APPEND:
        try:
            return await run.append([("a", 1)], [at_version("a", 1)])
        except EngineError as error:
            return error
    command_id = run.ids.named() if kind == OLD else run.ids.fresh()
    return await run.tell("a", add(), expected_version=1, command_id=command_id).answer()


def check_one_won(answers: list[Accepted | EngineError]) -> None:
    (won,) = [each for each in answers if isinstance(each, Accepted)]
    assert won.version == 2
    lost = [each for each in answers if isinstance(each, VersionConflict)]
    assert [(each.expected, each.actual) for each in lost] == [(1, 2)] * (len(answers) - 1)


@pytest.mark.parametrize("pair", WRITERS)
@pytest.mark.parametrize("held", ["nothing", "appends", "written", "look_ups", "loads"])
async def test_g2_of_two_with_the_same_expected_version_one_wins(
    run: Running, pair: tuple[str, str], held: str
) -> None:
    await run.tell("a", add()).accepted()
    if held == "loads":
        await run.restart()  # "a" has left memory
    valve = None if held == "nothing" else getattr(run.store, held)
    if valve is not None:
        valve.close()
    writers = [asyncio.ensure_future(write(run, kind)) for kind in pair]
    await settle()
    if valve is not None:
        valve.open()
    check_one_won([await each for each in writers])


@pytest.mark.parametrize("steps", list(product([True, False], repeat=4)))
async def test_g2_one_wins_however_writers_and_commits_interleave(
    start: Start, steps: tuple[bool, ...]
) -> None:
    """True: another writer comes. False: a commit that waits is let through."""
    run = await start()
    await run.tell("a", add()).accepted()
    run.store.appends.close()
    writers = [asyncio.ensure_future(write(run, FRESH))]
    for comes in steps:
        if comes:
            writers.append(asyncio.ensure_future(write(run, FRESH)))
        elif run.store.appends.waiting:
            run.store.appends.let()
        await settle()
    run.store.appends.open()
    check_one_won([await each for each in writers])


async def test_256_callers_on_one_aggregate_get_the_versions_1_to_256(run: Running) -> None:
    asked = [run.tell("a", add()) for _ in range(256)]
    answers = [await each.accepted() for each in asked]
    assert sorted(each.version for each in answers) == list(range(1, 257))
    assert sorted(int(each.reply) for each in answers) == list(range(1, 257))


async def test_256_callers_on_an_aggregate_that_is_loading_get_them_too(run: Running) -> None:
    run.store.loads.close()
    asked = [run.tell("new", add()) for _ in range(256)]
    await run.store.loads.arrived()
    run.store.loads.open()
    answers = [await each.accepted() for each in asked]
    assert [each.version for each in answers] == list(range(1, 257))


async def test_a_chain_of_expected_versions_is_decided_without_waiting(run: Running) -> None:
    run.store.appends.close()
    chain = [run.tell("a", add(), expected_version=n) for n in range(20)]
    run.store.appends.open()
    assert [(await each.accepted()).version for each in chain] == list(range(1, 21))
    assert len(run.store.batches) <= 2
