"""Direct appends against actors that are loading, busy, leaving memory, or gone."""

import asyncio

import pytest
from tests.unit.engine.harness import Running, Start, at_version, settle
from tests.unit.engine.tally import add

from gesta.engine.errors import CorruptEvent, EngineError, VersionConflict
from gesta.engine.limits import Limits
from gesta.engine.messages import Accepted
from gesta.store.port import CorruptLog


async def test_an_append_to_a_loading_actor_waits_and_adds_to_what_was_loaded(
    run: Running,
) -> None:
    await run.tell("a", add(5)).accepted()
    await run.restart()
    run.store.loads.close()
    append = run.append([("a", 1)], [at_version("a", 1)])
    await run.store.loads.arrived()
    await settle()
    assert not append.done()
    run.store.loads.open()
    assert (await append).version == 2
    assert await run.total("a") == (2, 6)


async def test_a_command_and_an_append_share_one_load(run: Running) -> None:
    run.store.loads.close()
    command = run.tell("new", add(1))
    append = run.append([("new", 2)])
    await run.store.loads.arrived()
    await settle()
    assert run.store.loads.waiting == 1
    run.store.loads.open()
    versions = {(await command.accepted()).version, (await append).version}
    assert versions == {1, 2}


async def test_an_append_to_a_busy_actor_goes_before_what_still_waits_for_a_look_up(
    run: Running,
) -> None:
    run.store.look_ups.close()
    waiting = run.tell("a", add(1), command_id=run.ids.named(), expected_version=0)
    behind = run.tell("a", add(1))
    await run.store.look_ups.arrived()
    assert (await run.append([("a", 5)], [at_version("a", 0)])).version == 1
    run.store.look_ups.open()
    assert (await waiting.refused(VersionConflict)).actual == 1
    assert (await behind.accepted()).version == 2


async def test_an_append_rests_on_what_is_not_committed_yet(run: Running) -> None:
    run.store.appends.close()
    command = run.tell("a", add(1))
    await run.store.appends.arrived()
    append = run.append([("a", 5)], [at_version("a", 1)])
    wrong = run.append([("a", 5)], [at_version("a", 1)])
    await settle()
    assert not append.done()
    assert not wrong.done()
    run.store.appends.open()
    await command.accepted()
    assert (await append).version == 2
    with pytest.raises(VersionConflict):
        await wrong


async def test_an_actor_does_not_leave_memory_during_an_append_that_holds_it(
    start: Start,
) -> None:
    run = await start(Limits(aggregate_idle_s=0))
    await run.warm("a")
    run.store.loads.close()
    append = run.append([("a", 1), ("b", 1)])  # holds "a" while it waits for "b"
    await run.store.loads.arrived()
    assert run.engine._registry.passivate_idle(0) == 0
    run.store.appends.close()
    run.store.loads.open()
    await run.store.appends.arrived()
    assert run.engine._registry.passivate_idle(0) == 0  # not confirmed yet
    run.store.appends.open()
    await append
    assert run.engine._registry.passivate_idle(0) == 2
    assert (await run.tell("a", add(), expected_version=1).accepted()).version == 2


async def test_an_append_to_an_evicted_actor_loads_it_again(start: Start) -> None:
    run = await start(Limits(aggregates_live_max=1))
    for number in range(1, 4):
        for on in ("a", "b"):
            assert (await run.append([(on, 1)], [at_version(on, number - 1)])).version == number
    assert run.engine.live_aggregates == 1


async def test_when_the_second_load_of_an_append_fails_the_first_is_let_go(run: Running) -> None:
    run.store.loads.close()
    append = run.append([("x", 1), ("y", 1)])
    await run.store.loads.arrived()
    run.store.loads.let()
    await run.store.loads.arrived()
    run.store.load_errors.append(CorruptLog("bad checksum"))
    run.store.loads.open()
    with pytest.raises(CorruptEvent):
        await append
    assert all(actor.pins == 0 for actor in run.engine._registry._actors.values())
    assert (await run.append([("x", 1), ("y", 1)])).event_count == 2


async def test_appends_and_commands_that_race_never_part_versions(run: Running) -> None:
    asked = []
    appends: list[asyncio.Task[Accepted]] = []
    for number in range(30):
        asked.append(run.tell("abc"[number % 3], add()))
        appends.append(run.append([("a", 1), ("b", 1)] if number % 2 else [("c", 1)]))
    for each in asked:
        await each.accepted()
    outcomes = await asyncio.gather(*appends, return_exceptions=True)
    assert not [each for each in outcomes if isinstance(each, EngineError)]
    assert len(await run.log()) == 30 + 15 * 2 + 15


async def test_an_append_and_its_crossed_twin_do_not_block_each_other(run: Running) -> None:
    run.store.loads.close()
    one, other = run.append([("x", 1), ("y", 1)]), run.append([("y", 2), ("x", 2)])
    await run.store.loads.arrived()
    run.store.loads.open()
    assert {(await one).position, (await other).position} == {2, 4}
