"""A store that failed for good: everyone is told the truth, once, and nothing goes on."""

import pytest
from tests.unit.engine.harness import Running, at_version, settle
from tests.unit.engine.tally import add, ask, take

from gesta.engine.errors import (
    Outcome,
    OutcomeUnknown,
    Refused,
    StorageUnavailable,
)
from gesta.store.port import StorageFailed


@pytest.mark.parametrize("after_writing", [False, True])
async def test_the_batch_is_unknown_and_the_rest_not_done(
    run: Running, after_writing: bool
) -> None:
    run.store.appends.close()
    run.store.fail_append(StorageFailed("EIO"), after_writing=after_writing)
    first = run.tell("a", add())
    await run.store.appends.arrived()
    behind, refusal = run.tell("b", add()), run.tell("a", take(9))
    append = run.append([("c", 1)], [at_version("c", 0)])
    await settle()
    run.store.appends.open()
    assert (await first.refused(OutcomeUnknown)).outcome is Outcome.UNKNOWN
    assert (await behind.refused(StorageUnavailable)).outcome is Outcome.NOT_DONE
    await refusal.refused(StorageUnavailable)
    with pytest.raises(StorageUnavailable):
        await append
    assert run.engine.failed
    assert len(run.failures) == 1


async def test_only_the_next_start_resolves_it(run: Running) -> None:
    lost, kept = run.ids.fresh(), run.ids.fresh()
    run.store.fail_append(StorageFailed("EIO"), after_writing=True)
    await run.tell("a", add(5), command_id=kept).refused(OutcomeUnknown)
    await run.tell("a", add(6), command_id=lost).refused(StorageUnavailable)
    await run.restart()
    assert (await run.tell("a", add(5), command_id=kept).accepted()).replayed
    assert not (await run.tell("a", add(6), command_id=lost).accepted()).replayed
    assert await run.total("a") == (2, 11)


async def test_later_commands_appends_and_reads_are_refused(run: Running) -> None:
    await run.tell("a", add()).accepted()
    run.store.fail_append(StorageFailed("EIO"))
    await run.tell("a", add()).refused(OutcomeUnknown)
    await run.tell("a", add()).refused(StorageUnavailable)
    await run.tell("a", take(9)).refused(StorageUnavailable)
    with pytest.raises(StorageUnavailable):
        await run.append([("a", 1)])
    with pytest.raises(StorageUnavailable):
        run.engine.check_readable()
    assert len(run.failures) == 1


async def test_a_subscriber_that_waits_is_woken_to_look(run: Running) -> None:
    import asyncio

    waiting = asyncio.ensure_future(run.engine.feed.wait_beyond(0, 10))
    await settle()
    run.store.fail_append(StorageFailed("EIO"))
    await run.tell("a", add()).refused(OutcomeUnknown)
    assert await waiting is False


async def test_a_joiner_hears_that_the_outcome_is_unknown(run: Running) -> None:
    same = run.ids.fresh()
    run.store.appends.close()
    run.store.fail_append(StorageFailed("EIO"))
    first = run.tell("a", add(), command_id=same)
    await run.store.appends.arrived()
    joined = run.tell("a", add(), command_id=same)
    run.store.appends.open()
    await first.refused(OutcomeUnknown)
    await joined.refused(OutcomeUnknown)


async def test_a_refusal_that_rests_on_what_is_confirmed_is_still_told(run: Running) -> None:
    await run.tell("a", add()).accepted()
    run.store.appends.close()
    run.store.fail_append(StorageFailed("EIO"))
    run.tell("b", add())
    await run.store.appends.arrived()
    await run.tell("a", take(9)).refused(Refused)
    run.store.appends.open()


async def test_whatever_waits_for_a_turn_is_refused_when_it_comes(run: Running) -> None:
    run.store.look_ups.close()
    late = run.tell("a", add(), command_id=run.ids.named())
    await run.store.look_ups.arrived()
    behind = run.tell("a", ask("look"))
    run.store.fail_append(StorageFailed("EIO"))
    await run.tell("b", add()).refused(OutcomeUnknown)
    run.store.look_ups.open()
    await late.refused(StorageUnavailable)
    await behind.refused(StorageUnavailable)


async def test_a_bug_of_the_store_is_a_failure_too(run: Running) -> None:
    run.store.fail_append(RuntimeError("not in the contract"))
    await run.tell("a", add()).refused(OutcomeUnknown)
    assert run.engine.failed
