"""Ids whose makers' clocks are ahead: known for ever, and nobody else's burden."""

import random

import pytest
from tests.unit.engine.chance import DAY_US
from tests.unit.engine.harness import Running, Start, settle
from tests.unit.engine.tally import add

from gesta.engine.errors import CommandIdExpired
from gesta.engine.limits import Limits
from gesta.engine.messages import Accepted

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
FOUR_IN_MEMORY = Limits(command_ids_in_memory_max=4)


@pytest.fixture
def ticking(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine whose every tick comes at once."""
    monkeypatch.setattr("gesta.engine.engine._TICK_S", 0)


async def stored_ahead(run: Running, ahead_us: int, count: int = 10) -> list[bytes]:
    """So many ids that are so far ahead of the clock, and stored."""
    ids = [run.ids.fresh(ago_us=-ahead_us) for _ in range(count)]
    for each in ids:
        await run.tell("a", add(), command_id=each).accepted()
    return ids


async def looked_up(run: Running, command_id: bytes) -> bool:
    """Whether this id, which nobody has used, had to be looked up."""
    await run.tell("a", add(), command_id=command_id).accepted()
    return command_id in run.store.looked_up


async def check_known(run: Running, ids: list[bytes]) -> None:
    for each in ids:
        assert (await run.tell("a", add(), command_id=each).accepted()).replayed


@pytest.mark.parametrize("ahead_us", [20 * HOUR_US, 30 * SECOND_US])
async def test_ids_far_ahead_leave_it_at_that_a_fresh_id_needs_no_look_up(
    start: Start, ahead_us: int
) -> None:
    run = await start(FOUR_IN_MEMORY)
    await run.warm("a")
    ids = await stored_ahead(run, ahead_us)
    for _ in range(10):
        run.clock.advance(300_000)
        assert not await looked_up(run, run.ids.fresh())
    await check_known(run, ids)


async def test_after_a_start_too_ids_far_ahead_leave_it_at_that(start: Start) -> None:
    run = await start(FOUR_IN_MEMORY)
    ids = await stored_ahead(run, 20 * HOUR_US)
    await run.restart()
    await run.warm("a")
    assert not await looked_up(run, run.ids.fresh())
    await check_known(run, ids)


async def test_a_start_by_a_clock_that_is_ahead_costs_nothing_once_it_is_set_right(
    start: Start,
) -> None:
    run = await start(FOUR_IN_MEMORY)
    ids = await stored_ahead(run, 0, count=2)
    run.clock.us += 30 * DAY_US
    await run.restart()
    await run.warm("a")
    run.clock.us -= 30 * DAY_US
    assert not await looked_up(run, run.ids.fresh())
    await check_known(run, ids)


async def test_an_id_a_little_ahead_needs_no_look_up_either(start: Start) -> None:
    run = await start()
    await run.warm("a")
    assert not await looked_up(run, run.ids.fresh(ago_us=-30 * SECOND_US))
    await run.restart()
    assert not await looked_up(run, run.ids.fresh(ago_us=-30 * SECOND_US))


@pytest.mark.usefixtures("ticking")
async def test_an_id_is_still_known_when_its_time_has_come_and_gone(start: Start) -> None:
    run = await start()
    ids = await stored_ahead(run, 20 * HOUR_US)
    for _ in range(42):
        run.clock.advance(HOUR_US // 2)
        await settle()
        await check_known(run, ids)
        run.store.looked_up.clear()
        assert not await looked_up(run, run.ids.fresh())


@pytest.mark.usefixtures("ticking")
async def test_ids_that_come_in_greater_numbers_than_memory_holds_are_looked_up(
    start: Start,
) -> None:
    run = await start(FOUR_IN_MEMORY)
    ids = await stored_ahead(run, HOUR_US)
    run.clock.advance(HOUR_US + SECOND_US)
    await settle()
    await check_known(run, ids)
    assert not await looked_up(run, run.ids.fresh())


@pytest.mark.usefixtures("ticking")
async def test_an_id_that_is_stored_while_memory_takes_in_its_time_is_known(run: Running) -> None:
    run.store.scans.close()
    run.clock.advance(40 * SECOND_US)
    await run.store.scans.arrived()  # it has read up to 100 s after the start
    ids = await stored_ahead(run, 30 * SECOND_US)
    run.store.scans.open()
    await settle()
    assert not await looked_up(run, run.ids.fresh(ago_us=-31 * SECOND_US))
    await check_known(run, ids)


@pytest.mark.usefixtures("ticking")
async def test_of_ids_that_come_while_memory_takes_in_their_time_and_has_no_room_none_is_forgotten(
    start: Start,
) -> None:
    run = await start(FOUR_IN_MEMORY)
    run.store.scans.close()
    run.clock.advance(40 * SECOND_US)
    await run.store.scans.arrived()
    ids = await stored_ahead(run, 30 * SECOND_US)
    run.store.scans.open()
    await settle()
    await check_known(run, ids)


@pytest.mark.usefixtures("ticking")
async def test_an_id_that_memory_takes_in_twice_takes_room_once(start: Start) -> None:
    run = await start(FOUR_IN_MEMORY)
    run.store.scans.close()
    run.store.written.close()
    ids = [run.ids.fresh(ago_us=-70 * SECOND_US) for _ in range(3)]
    asked = [run.tell("a", add(), command_id=each) for each in ids]
    await run.store.written.arrived()  # they can be read, and are not confirmed yet
    run.clock.advance(40 * SECOND_US)
    await run.store.scans.arrived()
    run.store.written.open()
    for each in asked:
        await each.accepted()
    run.store.scans.open()
    await settle()
    run.clock.advance(100 * SECOND_US)
    await settle()
    for _ in range(3):
        await run.tell("a", add()).accepted()
        run.clock.advance(SECOND_US)
    assert not await looked_up(run, run.ids.fresh(ago_us=5 * SECOND_US // 2))


@pytest.mark.usefixtures("ticking")
@pytest.mark.parametrize("seed", range(20))
async def test_whatever_ids_and_clocks_do_no_command_is_executed_twice(
    start: Start, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.setattr("gesta.engine.engine._PRUNE_EVERY_TICKS", 1)
    run, chance = await start(FOUR_IN_MEMORY), random.Random(seed)
    first: dict[bytes, Accepted] = {}
    for _ in range(150):
        match chance.choice("nnnnaaaatjr"):
            case "n":
                command_id = run.ids.fresh(chance.randint(-DAY_US, 7 * DAY_US))
                first[command_id] = await run.tell("a", add(), command_id=command_id).accepted()
            case "a" if first:
                command_id = chance.choice(list(first))
                answer = await run.tell("a", add(), command_id=command_id).answer()
                if not isinstance(answer, CommandIdExpired):
                    assert answer == first[command_id]._replace(replayed=True)
            case "t":
                run.clock.advance(chance.choice([SECOND_US, 50 * SECOND_US, 5 * HOUR_US, DAY_US]))
                await settle()
            case "j":
                jump_us = chance.randint(-10 * DAY_US, 10 * DAY_US)
                run.clock.us += jump_us
                await settle()
                run.clock.us -= jump_us
            case "r":
                await run.restart()
    assert len(await run.log()) == len(first)
