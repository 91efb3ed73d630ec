"""The registry: loading, passivation, eviction, and the cap on what is live."""

import asyncio
from typing import Any

import pytest
from tests.unit.engine.harness import Running, Start, settle
from tests.unit.engine.tally import add, ask

from gesta.engine.errors import CorruptEvent, HandlerBroken, Overloaded
from gesta.engine.errors import UnreadableEvent as Unreadable
from gesta.engine.limits import Limits
from gesta.store.port import CorruptLog


async def test_a_failed_load_answers_everyone_and_is_tried_again(run: Running) -> None:
    await run.tell("a", add(5)).accepted()
    await run.restart()
    run.store.loads.close()
    asked = [run.tell("a", add(1)) for _ in range(3)]
    read = asyncio.ensure_future(run.total("a"))
    append = run.append([("a", 1)])
    await run.store.loads.arrived()
    await settle()
    run.store.load_errors.append(CorruptLog("bad checksum"))
    run.store.loads.open()
    for each in asked:
        await each.refused(CorruptEvent)
    for task in (read, append):
        with pytest.raises(CorruptEvent):
            await task
    assert (await run.tell("a", add(1)).accepted()).reply == b"6"


async def test_a_failed_load_forgets_its_own_actor_and_no_other_under_the_same_id(
    run: Running,
) -> None:
    registry, hosted = run.engine._registry, run.catalog.types["Tally"]
    run.store.loads.close()
    failing = registry.load("Tally", "x", hosted)
    await run.store.loads.arrived(1)
    other = registry.load("Tally", "x", hosted)
    await run.store.loads.arrived(2)
    run.store.load_errors.append(CorruptLog("bad checksum"))
    run.store.loads.let()
    await settle()
    assert failing.loaded is not None  # it never was
    assert registry.live("Tally", "x") is other
    command = run.tell("x", add())
    run.store.loads.open()
    assert (await command.accepted()).version == 1
    assert other.confirmed_version == 1


async def test_a_damaged_stream_is_told_as_such(run: Running) -> None:
    run.store.load_errors.append(CorruptLog("bad checksum", 7))
    assert (await run.tell("new", add()).refused(CorruptEvent)).position == 7


async def test_an_event_that_todays_code_cannot_read_is_told_with_its_position(
    run: Running,
) -> None:
    await run.tell("a", add()).accepted()
    await run.tell("a", add()).accepted()
    events: Any = run.catalog.types["Tally"].events
    await run.restart()
    added = events.pop("Added")
    try:
        error = await run.tell("a", add()).refused(Unreadable)
        assert error.position == 1
    finally:
        events["Added"] = added


@pytest.mark.parametrize("by", [RuntimeError, SystemExit])
async def test_code_that_fails_on_a_stored_event_fails_the_load_alone(
    run: Running, monkeypatch: pytest.MonkeyPatch, by: type[BaseException]
) -> None:
    await run.tell("a", add()).accepted()
    await run.restart()

    def broken(state: object, event: object) -> object:
        raise by("secret of the author")

    with monkeypatch.context() as patched:
        patched.setattr(run.catalog.types["Tally"], "_fold", broken)
        error = await run.tell("a", add()).refused(HandlerBroken)
    assert "secret" not in str(error)
    assert (await run.tell("a", add()).accepted()).version == 2


async def test_only_the_least_recently_used_idle_one_is_evicted(start: Start) -> None:
    run = await start(Limits(aggregates_live_max=2))
    await run.tell("a", add()).accepted()
    await run.tell("b", add()).accepted()
    await run.total("a")
    await run.tell("c", add()).accepted()
    assert set(run.engine._registry._actors) == {("Tally", "a"), ("Tally", "c")}


async def test_when_nothing_can_go_new_loads_are_overloaded(start: Start) -> None:
    run = await start(Limits(aggregates_live_max=2))
    run.store.appends.close()
    run.store.loads.close()
    busy, loading = run.tell("a", add()), run.tell("b", add())
    await run.store.loads.arrived(2)
    run.store.loads.let()
    await run.store.appends.arrived()  # "a" is unconfirmed, "b" is loading
    assert (await run.tell("c", add()).refused(Overloaded)).what == "aggregates_live_max"
    with pytest.raises(Overloaded):
        await run.total("c")
    with pytest.raises(Overloaded):
        await run.append([("c", 1)])
    assert run.engine.live_aggregates == 2
    run.store.loads.open()
    run.store.appends.open()
    await busy.accepted()
    await loading.accepted()
    await run.tell("c", add()).accepted()


async def test_a_loading_actor_whose_reader_left_stays_until_it_is_loaded(start: Start) -> None:
    run = await start(Limits(aggregates_live_max=2))
    run.store.loads.close()
    reader = asyncio.ensure_future(run.total("a"))
    await run.store.loads.arrived()
    reader.cancel()
    await settle()
    assert run.engine._registry.passivate_idle(0) == 0
    command = run.tell("a", add())
    await settle()
    assert run.store.loads.waiting == 1  # no second load, so no second actor of one stream
    run.store.load_errors.append(CorruptLog("bad checksum"))
    run.store.loads.open()
    await command.refused(CorruptEvent)
    await run.tell("a", add()).accepted()


async def test_an_idle_actor_leaves_memory_and_comes_back_as_it_was(start: Start) -> None:
    run = await start()
    await run.tell("a", add(5)).accepted()
    registry = run.engine._registry
    assert registry.passivate_idle(2) == 0
    await run.tell("b", add(1)).accepted()
    assert registry.passivate_idle(2) == 1
    assert registry.live("Tally", "a") is None
    assert registry.live("Tally", "b") is not None
    assert (await run.tell("a", add(1)).accepted()).reply == b"6"


async def test_an_actor_with_a_full_mailbox_is_never_idle(start: Start) -> None:
    run = await start()
    await run.warm("a")
    run.store.look_ups.close()
    asked = run.tell("a", add(), command_id=run.ids.named())
    await run.store.look_ups.arrived()
    assert run.engine._registry.passivate_idle(0) == 0
    run.store.look_ups.open()
    await asked.accepted()


async def test_only_so_many_load_at_once(start: Start) -> None:
    run = await start(Limits(loads_at_once_max=2))
    run.store.loads.close()
    asked = [run.tell(f"a{n}", add()) for n in range(5)]
    await settle()
    assert run.store.loads.waiting == 2
    run.store.loads.let()
    await settle()
    assert run.store.loads.waiting == 2
    run.store.loads.open()
    for each in asked:
        await each.accepted()


async def test_a_long_fold_lets_others_have_their_turn(start: Start) -> None:
    run = await start(Limits(fold_slice_ms=0, load_page_events=10_000, snapshot_events_min=2_000))
    await run.tell("long", ask("flood", count=1_000)).accepted()
    await run.tell("a", add()).accepted()
    run.engine._registry.passivate_idle(0)
    await run.warm("a")
    loading = asyncio.ensure_future(run.total("long"))
    turns = 0
    while not loading.done():
        await run.total("a")
        await asyncio.sleep(0)
        turns += 1
    assert await loading == (1_000, 1_000)
    assert turns > 1_000 // 32


async def test_a_stream_is_loaded_over_many_pages(start: Start) -> None:
    run = await start(Limits(load_page_events=3))
    for _ in range(4):
        await run.tell("a", ask("add_each", amounts=[1, 2, 3, 4, 5])).accepted()
    await run.restart()
    assert await run.total("a") == (20, 60)
