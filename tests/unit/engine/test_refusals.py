"""Refusals write nothing; they are remembered for a while, so that who repeats hears the same."""

from contextlib import suppress

import pytest
from tests.unit.engine.harness import Running, Start, at_version
from tests.unit.engine.tally import Ask, add, ask, take

from gesta.engine.errors import (
    CommandIdReused,
    EngineError,
    HandlerBroken,
    InvalidRequest,
    LimitExceeded,
    Refused,
    VersionConflict,
)
from gesta.engine.limits import Limits


async def test_a_repeated_refusal_is_the_same_although_it_would_succeed_now(
    run: Running,
) -> None:
    same = run.ids.fresh()
    for _ in range(3):
        refusal = await run.tell("a", take(5), command_id=same).refused(Refused)
        assert (refusal.aggregate_type, refusal.reason) == ("Tally", "TOO_LITTLE")
        assert (str(refusal), refusal.details) == ("TOO_LITTLE", {"have": "0"})
        await run.tell("a", add(9)).accepted()


async def test_a_failed_check_is_remembered_too(run: Running) -> None:
    same = run.ids.fresh()
    conflict = run.tell("a", add(), command_id=same, expected_version=1)
    await conflict.refused(VersionConflict)
    await run.tell("a", add()).accepted()
    again = await run.tell("a", add(), command_id=same, expected_version=1).refused(VersionConflict)
    assert again.actual == 0


async def test_an_append_that_failed_its_check_hears_the_same_again(run: Running) -> None:
    same = run.ids.fresh()
    for _ in range(2):
        with pytest.raises(VersionConflict) as caught:
            await run.append([("a", 1)], [at_version("a", 1)], command_id=same)
        assert caught.value.actual == 0
        await run.tell("a", add()).accepted()
    with pytest.raises(CommandIdReused):
        await run.append([("b", 1)], command_id=same)


async def test_a_refusal_is_decided_anew_after_its_time(run: Running) -> None:
    same = run.ids.fresh()
    await run.tell("a", take(5), command_id=same).refused(Refused)
    await run.tell("a", add(9)).accepted()
    run.clock.seconds += 600
    await run.tell("a", take(5), command_id=same).refused(Refused)
    run.clock.seconds += 1
    await run.tell("a", take(5), command_id=same).accepted()


async def test_a_refusal_is_decided_anew_after_a_restart(run: Running) -> None:
    same = run.ids.fresh()
    await run.tell("a", take(5), command_id=same).refused(Refused)
    await run.tell("a", add(9)).accepted()
    await run.restart()
    assert not (await run.tell("a", take(5), command_id=same).accepted()).replayed


async def test_the_id_of_a_refusal_stands_for_that_command(run: Running) -> None:
    same = run.ids.fresh()
    await run.tell("a", take(5), command_id=same).refused(Refused)
    await run.tell("a", take(6), command_id=same).refused(CommandIdReused)
    await run.tell("b", take(5), command_id=same).refused(CommandIdReused)


async def test_only_so_many_refusals_are_remembered_and_the_oldest_goes(start: Start) -> None:
    run = await start(Limits(refusals_in_memory_max=2))
    ids = [run.ids.fresh() for _ in range(3)]
    for each in ids:
        await run.tell("a", take(5), command_id=each).refused(Refused)
    await run.tell("a", add(99)).accepted()
    await run.tell("a", take(5), command_id=ids[0]).accepted()
    await run.tell("a", take(5), command_id=ids[1]).refused(Refused)
    await run.tell("a", take(5), command_id=ids[2]).refused(Refused)


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        (ask("crash"), HandlerBroken),
        (ask("flood", count=1_001), LimitExceeded),
        (ask("add", amount="one"), InvalidRequest),
    ],
)
async def test_faults_and_bad_requests_are_not_remembered(
    run: Running, asked: Ask, kind: type[EngineError]
) -> None:
    same = run.ids.fresh()
    await run.tell("a", asked, command_id=same).refused(kind)
    await run.tell("a", add(), command_id=same).accepted()


@pytest.mark.parametrize("rests_on", ["what is confirmed", "what is not"])
async def test_a_remembered_refusal_holds_nothing_it_passed_through(
    run: Running, rests_on: str
) -> None:
    same = run.ids.fresh()
    if rests_on == "what is not":
        run.store.appends.close()
        run.tell("a", add(1))
        await run.store.appends.arrived()
    asked = run.tell("a", take(5), command_id=same)
    run.store.appends.open()
    for _ in range(3):
        refusal = await asked.refused(Refused)
        with suppress(Refused):
            raise refusal  # as a caller does
        (kept,) = run.engine._ids._refusals.values()
        asked = run.tell("a", take(5), command_id=same)
        for error in (kept.error, await asked.refused(Refused)):
            assert (error.__traceback__, error.__context__, error.__cause__) == (None, None, None)


async def test_only_so_many_bytes_of_refusals_are_remembered(start: Start) -> None:
    run = await start(Limits(refusal_bytes_in_memory_max=60))  # TOO_LITTLE, have, 0: 15 each
    ids = [run.ids.fresh() for _ in range(5)]
    for each in (*ids, *ids[-4:]):
        await run.tell("a", take(5), command_id=each).refused(Refused)
    await run.tell("a", add(5)).accepted()
    for each in ids[1:]:
        await run.tell("a", take(5), command_id=each).refused(Refused)
    await run.tell("a", take(5), command_id=ids[0]).accepted()


async def test_one_refusal_that_is_larger_than_all_may_be_is_told_and_not_remembered(
    start: Start,
) -> None:
    run = await start(Limits(refusal_bytes_in_memory_max=10))
    same = run.ids.fresh()
    assert (await run.tell("a", take(5), command_id=same).refused(Refused)).details
    await run.tell("a", add(5)).accepted()
    await run.tell("a", take(5), command_id=same).accepted()
