"""A batch that fails ends the generation: all decided since is gone, as if never asked."""

import pytest
from tests.unit.engine.harness import Asked, Running, at_version, settle
from tests.unit.engine.tally import add, ask, take

from gesta.engine.errors import (
    AggregateNotFound,
    CommandIdReused,
    Outcome,
    StorageIsFull,
)
from gesta.store.port import CorruptLog, StorageFull


async def failed_generation(run: Running) -> list[Asked]:
    """One batch in flight, which fails, and commands of three aggregates behind it."""
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    asked = [run.tell("a", add(10))]
    await run.store.appends.arrived()
    asked += [run.tell("a", add(100)), run.tell("b", add(7)), run.tell("c", ask("look"))]
    run.store.appends.open()
    return asked


async def test_everyone_in_the_batch_and_behind_it_is_told_not_done(run: Running) -> None:
    for each in await failed_generation(run):
        error = await each.refused(StorageIsFull)
        assert error.outcome is Outcome.NOT_DONE
        assert error.retry_after_ms > 0
    assert run.failures == []


async def test_states_versions_and_positions_return(run: Running) -> None:
    await run.tell("a", add(1)).accepted()
    for each in await failed_generation(run):
        await each.answer()
    assert await run.total("a") == (1, 1)
    with pytest.raises(AggregateNotFound):
        await run.total("b")
    again = await run.tell("a", add(1), expected_version=1).accepted()
    assert (again.version, again.position, again.reply) == (2, 2, b"2")
    new = await run.tell("b", add(3), must_exist=False).accepted()
    assert (new.version, new.position, new.reply) == (1, 3, b"3")


async def test_the_same_ids_succeed_afterwards(run: Running) -> None:
    same = [run.ids.fresh(), run.ids.named()]
    for command_id in same:
        run.store.fail_append(StorageFull())
        await run.tell("a", add(), command_id=command_id).refused(StorageIsFull)
    for command_id in same:
        assert not (await run.tell("a", add(), command_id=command_id).accepted()).replayed
    assert len(await run.log()) == 2


async def test_a_joiner_of_a_failed_command_hears_the_same(run: Running) -> None:
    same = run.ids.fresh()
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    first = run.tell("a", add(), command_id=same)
    await run.store.appends.arrived()
    joined = run.tell("a", add(), command_id=same)
    other = run.tell("b", add(), command_id=same)
    run.store.appends.open()
    for each in (first, joined, other):
        await each.refused(StorageIsFull)
    assert await run.log() == []
    await run.tell("b", add(), command_id=same).accepted()  # free again, also for another
    await run.tell("a", add(), command_id=same).refused(CommandIdReused)


async def test_a_refusal_that_became_not_done_is_not_remembered(run: Running) -> None:
    same = run.ids.fresh()
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    run.tell("a", add(1))
    await run.store.appends.arrived()
    refusal = run.tell("a", take(5), command_id=same)
    run.store.appends.open()
    await refusal.refused(StorageIsFull)
    await run.tell("a", add(5)).accepted()
    await run.tell("a", take(5), command_id=same).accepted()


async def test_an_answer_without_events_can_fail_too_and_be_asked_again(run: Running) -> None:
    same = run.ids.fresh()
    run.store.fail_append(StorageFull())
    await run.tell("a", ask("look"), command_id=same).refused(StorageIsFull)
    assert (await run.tell("a", ask("look"), command_id=same).accepted()).reply == b"0"


async def test_a_failure_of_the_second_batch_leaves_the_first_as_it_is(run: Running) -> None:
    run.store.appends.close()
    run.store.append_failures.append(None)
    run.store.fail_append(StorageFull())
    stands = run.tell("a", add(1))
    await run.store.appends.arrived()
    falls = run.tell("a", add(2))
    run.store.appends.let()
    await run.store.appends.arrived()
    behind = run.tell("a", add(4))
    run.store.appends.open()
    assert (await stands.accepted()).reply == b"1"
    await falls.refused(StorageIsFull)
    await behind.refused(StorageIsFull)
    assert (await run.tell("a", add(8)).accepted()).reply == b"9"


async def test_an_append_over_two_streams_falls_with_its_generation(run: Running) -> None:
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    run.tell("a", add())
    await run.store.appends.arrived()
    append = run.append([("a", 5), ("b", 5)], [at_version("a", 1), at_version("b", 0)])
    await settle()
    run.store.appends.open()
    with pytest.raises(StorageIsFull):
        await append
    done = await run.append([("a", 5), ("b", 5)], [at_version("a", 0), at_version("b", 0)])
    assert done.position == 2


async def test_a_failed_conflict_of_an_append_is_not_done(run: Running) -> None:
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    run.tell("a", add())
    await run.store.appends.arrived()
    append = run.append([("a", 5)], [at_version("a", 0)])
    await settle()
    assert not append.done()
    run.store.appends.open()
    with pytest.raises(StorageIsFull):
        await append


async def test_times_given_out_return_with_the_generation(run: Running) -> None:
    noon = run.clock.us
    run.clock.us = noon + 3_600_000_000  # an hour ahead, by mistake
    run.store.fail_append(StorageFull())
    await run.tell("a", ask("stamp")).refused(StorageIsFull)
    run.clock.us = noon
    await run.tell("a", ask("stamp")).accepted()
    assert (await run.log())[0].commit_time_us == noon


async def test_a_command_sent_from_within_a_failed_answer_starts_a_new_generation(
    run: Running,
) -> None:
    second: list[Asked] = []
    run.store.fail_append(StorageFull())
    first = run.tell(
        "a", add(1), then=lambda: second.append(run.tell("a", add(2), expected_version=0))
    )
    await first.refused(StorageIsFull)
    assert (await second[0].accepted()).reply == b"2"


async def test_everyone_has_an_error_of_his_own(run: Running) -> None:
    same = run.ids.fresh()
    asked = await failed_generation(run)
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    asked += [run.tell("a", add(), command_id=same) for _ in range(2)]
    run.store.appends.open()
    run.store.loads.close()
    asked += [run.tell("new", add()) for _ in range(2)]
    run.store.load_errors.append(CorruptLog("bad checksum"))
    run.store.loads.open()
    errors = [await each.answer() for each in asked]
    assert len({id(each) for each in errors}) == len(errors)
