"""A store whose reads fail, or that does not answer at all: all who wait hear of it."""

import asyncio

import pytest
from tests.unit.engine.harness import Running, at_version
from tests.unit.engine.tally import add, take

from gesta.engine import engine as engine_module
from gesta.engine.errors import EngineError, Outcome, OutcomeUnknown, StorageUnavailable
from gesta.store.port import StorageFailed


async def test_a_read_that_fails_is_a_failure_of_the_storage(run: Running) -> None:
    run.store.load_errors.append(StorageFailed("EIO"))
    await run.tell("new", add()).refused(StorageUnavailable)
    assert run.engine.failed
    assert len(run.failures) == 1
    await run.tell("a", add()).refused(StorageUnavailable)
    with pytest.raises(StorageUnavailable):
        await run.append([("a", 1)])
    with pytest.raises(StorageUnavailable):
        run.engine.check_readable()


async def test_a_commit_under_way_while_a_read_fails_is_told_as_it_turns_out(run: Running) -> None:
    run.store.appends.close()
    committing = run.tell("a", add())
    await run.store.appends.arrived()
    behind = run.tell("b", add())
    run.store.load_errors.append(StorageFailed("EIO"))
    await run.tell("new", add()).refused(StorageUnavailable)
    run.store.fail_append(StorageFailed("EIO"))
    run.store.appends.open()
    await committing.refused(OutcomeUnknown)
    await behind.refused(StorageUnavailable)
    assert len(run.failures) == 1


async def test_a_failure_that_no_call_has_met_is_heard_of(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "_TICK_S", 0)
    monkeypatch.setattr(engine_module, "_PRUNE_EVERY_TICKS", 1 << 60)
    await run.restart()
    run.store.inner.abandon()
    await run.engine.feed.wait_beyond(run.engine.head, 10)
    assert run.engine.failed
    await run.give_up()


async def test_when_the_storage_is_given_up_everyone_who_waits_for_it_is_answered(
    run: Running,
) -> None:
    run.store.appends.close()
    committing = run.tell("a", add())
    await run.store.appends.arrived()
    behind, refusal = run.tell("b", add()), run.tell("a", take(9))
    append = run.append([("c", 1)], [at_version("c", 0)])
    run.store.loads.close()
    run.store.look_ups.close()
    loading = [run.tell("new", add()) for _ in range(2)]
    looking = [run.tell("c", add(), command_id=run.ids.named()) for _ in range(2)]
    reading = asyncio.ensure_future(run.total("old"))
    loading_append = run.append([("older", 1)])
    await run.store.loads.arrived(3)
    await run.store.look_ups.arrived()
    await run.give_up()
    assert (await committing.refused(OutcomeUnknown)).outcome is Outcome.UNKNOWN
    for each in (behind, refusal, *loading, *looking):
        assert (await each.refused(StorageUnavailable)).outcome is Outcome.NOT_DONE
    for task in (append, reading, loading_append):
        with pytest.raises(EngineError):
            await task
    with pytest.raises(StorageUnavailable):
        await run.engine.reads.state("Tally", "unheard of")


async def test_a_caller_that_leaves_as_the_storage_is_given_up_has_left(run: Running) -> None:
    run.store.loads.close()
    reading = asyncio.ensure_future(run.total("old"))
    finding = asyncio.ensure_future(run.engine._storage.find_stream("Tally", "old"))
    await run.store.loads.arrived(2)
    finding.cancel()
    await run.give_up()
    with pytest.raises(asyncio.CancelledError):
        await finding
    with pytest.raises(StorageUnavailable):
        await reading
