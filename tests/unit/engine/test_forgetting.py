"""Old answers are forgotten a piece at a time, beside the commits, and never one that may yet be
asked for."""

import pytest
from tests.unit.engine.chance import DAY_US
from tests.unit.engine.harness import Running, Start, settle
from tests.unit.engine.tally import add

from gesta.engine.errors import CommandIdExpired, CorruptEvent
from gesta.store.port import CorruptLog, StorageFull


async def old_answers(run: Running, count: int) -> list[bytes]:
    """Commands whose answers may be forgotten: the ids of them."""
    ids = [run.ids.fresh() for _ in range(count)]
    for each in ids:
        await run.tell("a", add(), command_id=each).accepted()
    run.clock.advance(9 * DAY_US)
    await run.engine._ids.look_ahead(run.store)  # or the next ids must be looked up first
    run.store.writes.clear()
    return ids


def forget(run: Running, rows: int) -> None:
    run.engine._writer.prune(0, rows)


async def kept(run: Running, ids: list[bytes]) -> int:
    return len([each for each in ids if await run.store.inner.find_command(each)])


async def test_old_answers_go_although_the_writer_is_never_idle(run: Running) -> None:
    ids = await old_answers(run, 6)
    run.store.appends.close()
    run.tell("a", add())
    await run.store.appends.arrived()
    forget(run, rows=2)
    for _ in range(4):
        run.tell("a", add())  # one waits behind whichever is let through
        run.store.appends.let()
        await run.store.appends.arrived()
    assert await kept(run, ids) == 0


async def test_a_commit_waits_for_one_piece_at_most(run: Running) -> None:
    await old_answers(run, 6)
    run.store.prunes.close()
    forget(run, rows=2)
    for _ in range(3):
        await run.store.prunes.arrived()
        run.tell("a", add())
        run.store.prunes.let()
    await run.store.prunes.arrived()
    assert run.store.writes == ["prune", "append"] * 3 + ["prune"]


async def test_an_idle_writer_forgets_them_all_at_once(run: Running) -> None:
    ids = await old_answers(run, 6)
    run.store.prunes.close()
    forget(run, rows=2)
    for _ in range(3):
        await run.store.prunes.arrived()
        run.store.prunes.let()
    await run.store.prunes.arrived()  # the last one finds nothing
    assert await kept(run, ids) == 0


async def test_a_full_disk_ends_the_pruning_and_nothing_else(run: Running) -> None:
    ids = await old_answers(run, 4)
    run.store.prune_errors.append(StorageFull())
    forget(run, rows=2)
    await settle()
    assert await kept(run, ids) == 4
    await run.tell("a", add()).accepted()
    assert not run.engine.failed


async def test_a_damaged_answer_ends_the_pruning_and_nothing_else(run: Running) -> None:
    await old_answers(run, 4)
    run.store.prune_errors.append(CorruptLog("bad checksum"))
    forget(run, rows=2)
    await settle()
    await run.tell("a", add()).accepted()
    assert run.store.writes == ["prune", "append"]
    assert not run.engine.failed


async def test_a_damaged_answer_is_told_to_whoever_asks_for_it_alone(run: Running) -> None:
    damaged, other = run.ids.named(), run.ids.named()
    for each in (damaged, other):
        await run.tell("a", add(), command_id=each).accepted()
    run.store.look_up_errors.append(CorruptLog("bad checksum"))
    await run.tell("a", add(), command_id=damaged).refused(CorruptEvent)
    run.store.look_up_errors.append(CorruptLog("bad checksum"))
    with pytest.raises(CorruptEvent):
        await run.append([("a", 1)], command_id=damaged)
    assert (await run.tell("a", add(), command_id=other).accepted()).replayed
    assert not run.engine.failed


async def test_nothing_is_forgotten_after_the_storage_failed(run: Running) -> None:
    await old_answers(run, 4)
    run.store.appends.close()
    run.store.fail_append(RuntimeError("EIO"))
    run.tell("a", add())
    await run.store.appends.arrived()
    forget(run, rows=2)
    run.store.appends.open()
    await settle()
    assert run.engine.failed
    forget(run, rows=2)
    await settle()
    assert run.store.writes == ["append"]


@pytest.mark.parametrize("back", ["a command in between", "none in between"])
async def test_a_clock_that_jumps_ahead_and_back_has_no_command_executed_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch, back: str
) -> None:
    monkeypatch.setattr("gesta.engine.engine._TICK_S", 0)
    monkeypatch.setattr("gesta.engine.engine._PRUNE_EVERY_TICKS", 1)
    run = await start()
    same = run.ids.fresh()
    first = await run.tell("a", add(), command_id=same).accepted()
    run.clock.us += 30 * DAY_US
    await settle()  # many ticks, each of which forgets what it may
    if back == "a command in between":
        await run.tell("a", add()).accepted()  # now the log is in the future too
    run.clock.us -= 30 * DAY_US
    await settle()
    again = await run.tell("a", add(), command_id=same).accepted()
    assert again == first._replace(replayed=True)


@pytest.mark.parametrize("kind", ["named", "fresh"])
async def test_what_was_committed_while_the_clock_was_set_back_is_not_forgotten_before_its_time(
    start: Start, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr("gesta.engine.engine._TICK_S", 0)
    monkeypatch.setattr("gesta.engine.engine._PRUNE_EVERY_TICKS", 1)
    run = await start()
    run.clock.us -= 30 * DAY_US
    same = run.ids.named() if kind == "named" else run.ids.fresh()
    first = await run.tell("a", add(), command_id=same).accepted()
    run.clock.us += 30 * DAY_US
    await settle()
    if kind == "fresh":
        await run.tell("a", add(), command_id=same).refused(CommandIdExpired)
        run.clock.us -= 30 * DAY_US
    again = await run.tell("a", add(), command_id=same).accepted()
    assert again == first._replace(replayed=True)


async def test_a_clock_that_is_set_back_amid_the_pruning_has_no_new_answer_forgotten(
    run: Running,
) -> None:
    await old_answers(run, 4)
    run.store.prunes.close()
    forget(run, rows=2)
    await run.store.prunes.arrived()
    run.clock.us -= 30 * DAY_US
    first = run.tell("b", add(), command_id=(same := run.ids.named()))
    run.store.prunes.open()
    await first.accepted()
    await settle()
    assert (await run.tell("b", add(), command_id=same).accepted()).replayed
