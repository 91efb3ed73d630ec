"""A command id stands for one command, and for one answer, however late it is asked again."""

import pytest
from tests.unit.engine.chance import DAY_US
from tests.unit.engine.harness import Running, Start, settle
from tests.unit.engine.tally import Ask, add, ask

from gesta.engine.errors import CommandIdExpired, CommandIdReused, InternalError, InvalidRequest
from gesta.engine.limits import Limits

TWO_IN_MEMORY = Limits(command_ids_in_memory_max=2)


async def ids_of_each_kind(run: Running) -> list[bytes]:
    return [run.ids.fresh(), run.ids.fresh(ago_us=6 * DAY_US), run.ids.named()]


async def test_sent_twice_at_once_the_second_joins_the_first(run: Running) -> None:
    for same in await ids_of_each_kind(run):
        run.store.appends.close()
        first = run.tell("a", add(5), command_id=same)
        second = run.tell("a", add(5), command_id=same)
        await run.store.appends.arrived()
        third = run.tell("a", add(5), command_id=same)
        run.store.appends.open()
        answer = await first.accepted()
        assert not answer.replayed
        for each in (second, third):
            assert await each.accepted() == answer._replace(replayed=True)
    assert len(await run.log()) == 3


async def test_an_answer_survives_a_restart_also_one_without_events(run: Running) -> None:
    kinds = await ids_of_each_kind(run)
    looks = await ids_of_each_kind(run)
    first = [await run.tell("a", add(5), command_id=each).accepted() for each in kinds]
    first += [await run.tell("a", ask("look"), command_id=each).accepted() for each in looks]
    await run.tell("a", add(1)).accepted()
    await run.restart()
    again = [await run.tell("a", add(5), command_id=each).accepted() for each in kinds]
    again += [await run.tell("a", ask("look"), command_id=each).accepted() for each in looks]
    assert again == [each._replace(replayed=True) for each in first]


async def test_an_id_beyond_the_mark_in_memory_is_looked_up(start: Start) -> None:
    run = await start(TWO_IN_MEMORY)
    ids = [run.ids.fresh(ago_us=hours * 3_600_000_000) for hours in (9, 8, 7, 6, 5)]
    first = [await run.tell("a", add(), command_id=each).accepted() for each in ids]
    again = [await run.tell("a", add(), command_id=each).accepted() for each in ids]
    assert again == [each._replace(replayed=True) for each in first]
    assert set(run.store.looked_up) == set(ids)


async def test_the_mark_holds_over_a_restart(start: Start) -> None:
    run = await start(TWO_IN_MEMORY)
    ids = [run.ids.fresh(ago_us=hours * 3_600_000_000) for hours in (5, 9, 7, 6, 8)]
    for each in ids:
        await run.tell("a", add(), command_id=each).accepted()
    await run.restart()
    for each in ids:
        assert (await run.tell("a", add(), command_id=each).accepted()).replayed
    assert len(await run.log()) == 5


async def test_ids_of_one_moment_beyond_the_limit_in_memory_are_found(start: Start) -> None:
    run = await start(TWO_IN_MEMORY)
    ids = [run.ids.fresh() for _ in range(7)]
    for each in ids:
        await run.tell("a", add(), command_id=each).accepted()
    for each in ids:
        assert (await run.tell("a", add(), command_id=each).accepted()).replayed
    assert len(await run.log()) == 7


async def test_a_fresh_id_needs_no_look_up(run: Running) -> None:
    for _ in range(5):
        await run.tell("a", add()).accepted()
    assert run.store.looked_up == []


@pytest.mark.parametrize(
    ("on", "asked"), [("b", add(5)), ("a", add(6)), ("a", ask("look")), ("a", ask("add"))]
)
async def test_an_id_used_for_another_command_is_refused(run: Running, on: str, asked: Ask) -> None:
    for same in await ids_of_each_kind(run):
        run.store.appends.close()
        first = run.tell("a", add(5), command_id=same)
        await run.store.appends.arrived()
        at_once = run.tell(on, asked, command_id=same)
        await settle()
        assert at_once.answers == []  # it is not certain yet that the first one stands
        run.store.appends.open()
        await first.accepted()
        assert (await at_once.refused(CommandIdReused)).command_id == same
        await run.tell(on, asked, command_id=same).refused(CommandIdReused)
        await run.restart()
        await run.tell(on, asked, command_id=same).refused(CommandIdReused)
    assert len(await run.log()) == 3


async def test_the_order_of_keys_and_white_space_make_no_other_command(run: Running) -> None:
    same = run.ids.fresh()
    await run.tell("a", ("add", b'{"amount":1,"note":"x"}'), command_id=same).accepted()
    again = run.tell("a", ("add", b'{ "note": "x", "amount": 1 }'), command_id=same)
    assert (await again.accepted()).replayed


async def test_an_id_older_than_the_window_is_refused(run: Running) -> None:
    same = run.ids.fresh()
    await run.tell("a", add(), command_id=same).accepted()
    run.clock.us += 7 * DAY_US
    assert (await run.tell("a", add(), command_id=same).accepted()).replayed
    run.clock.us += 1_000
    error = await run.tell("a", add(), command_id=same).refused(CommandIdExpired)
    assert error.window_s == 604_800
    with pytest.raises(CommandIdExpired):
        await run.append([("a", 1)], command_id=same)
    assert len(await run.log()) == 1


async def test_an_id_from_the_future_is_refused(run: Running) -> None:
    ahead = run.ids.fresh(ago_us=-DAY_US)
    beyond = run.ids.fresh(ago_us=-DAY_US - 1_000)
    await run.tell("a", add(), command_id=ahead).accepted()
    error = await run.tell("a", add(), command_id=beyond).refused(InvalidRequest)
    assert error.field == "command_id"


async def test_an_id_ahead_of_the_clock_is_known_after_a_restart(run: Running) -> None:
    ahead = run.ids.fresh(ago_us=-DAY_US)
    await run.tell("a", add(), command_id=ahead).accepted()
    await run.restart()
    assert (await run.tell("a", add(), command_id=ahead).accepted()).replayed


async def test_an_answer_is_kept_for_as_long_as_its_id_can_be_asked_again(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesta.engine.engine._TICK_S", 0)
    monkeypatch.setattr("gesta.engine.engine._PRUNE_EVERY_TICKS", 1)
    run = await start()
    ahead = run.ids.fresh(ago_us=-DAY_US)
    await run.tell("a", add(), command_id=ahead).accepted()
    run.clock.advance(7 * DAY_US + 1_000_000)
    await settle()  # many ticks, each of which forgets what it may
    assert (await run.tell("a", add(), command_id=ahead).accepted()).replayed
    run.clock.advance(DAY_US)
    await settle()
    await run.tell("a", add(), command_id=ahead).refused(CommandIdExpired)
    assert await run.store.inner.find_command(ahead) is None


async def test_a_look_up_that_fails_answers_its_command_and_the_next_one_goes_on(
    run: Running,
) -> None:
    run.store.look_up_errors.append(RuntimeError("not in the contract"))
    first = run.tell("a", add(), command_id=run.ids.named())
    second = run.tell("a", add(), command_id=run.ids.named())
    await first.refused(InternalError)
    await second.accepted()
