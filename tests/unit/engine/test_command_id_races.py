"""Look-ups of old command ids that are overtaken: nothing is executed twice."""

import asyncio
from itertools import permutations

import pytest
from tests.unit.engine.harness import Running, settle
from tests.unit.engine.tally import add, ask

from gesta.engine.errors import CommandIdReused, EngineError, StorageIsFull
from gesta.engine.messages import Accepted
from gesta.store.port import StorageFull


async def test_a_look_up_that_began_before_the_commit_and_returns_after_it_reads_again(
    run: Running,
) -> None:
    same = run.ids.named()
    run.store.look_ups.close()
    slow = run.tell("b", add(), command_id=same)
    await run.store.look_ups.arrived(1)  # it has read: not stored
    quick = run.tell("a", add(), command_id=same)
    await run.store.look_ups.arrived(2)
    run.store.look_ups.let_last()
    await quick.accepted()
    run.store.look_ups.open()
    await slow.refused(CommandIdReused)
    assert len(await run.log()) == 1


async def test_a_look_up_that_returns_while_the_commit_is_under_way_joins_it(
    run: Running,
) -> None:
    same = run.ids.named()
    run.store.look_ups.close()
    run.store.appends.close()
    slow = run.tell("b", add(), command_id=same)
    await run.store.look_ups.arrived(1)
    quick = run.tell("a", add(), command_id=same)
    await run.store.look_ups.arrived(2)
    run.store.look_ups.let_last()
    await run.store.appends.arrived()
    run.store.look_ups.open()
    await settle()
    assert slow.answers == quick.answers == []
    run.store.appends.open()
    await quick.accepted()
    await slow.refused(CommandIdReused)


async def test_a_look_up_overtaken_by_a_commit_that_failed_executes(run: Running) -> None:
    same = run.ids.named()
    run.store.look_ups.close()
    slow = run.tell("b", add(), command_id=same)
    await run.store.look_ups.arrived(1)
    quick = run.tell("a", add(), command_id=same)
    await run.store.look_ups.arrived(2)
    run.store.fail_append(StorageFull())
    run.store.look_ups.let_last()
    await quick.refused(StorageIsFull)
    run.store.look_ups.open()
    await slow.accepted()


async def test_an_append_whose_look_up_was_overtaken_writes_nothing(run: Running) -> None:
    same = run.ids.named()
    run.store.look_ups.close()
    slow = run.append([("b", 5)], command_id=same)
    await run.store.look_ups.arrived(1)
    quick = run.tell("a", add(), command_id=same)
    await run.store.look_ups.arrived(2)
    run.store.look_ups.let_last()
    await quick.accepted()
    run.store.look_ups.open()
    with pytest.raises(CommandIdReused):
        await slow
    assert len(await run.log()) == 1


async def test_the_same_append_twice_at_once_is_written_once(run: Running) -> None:
    same = run.ids.named()
    run.store.look_ups.close()
    both = [run.append([("a", 5), ("b", 5)], command_id=same) for _ in range(2)]
    await run.store.look_ups.arrived(2)
    run.store.look_ups.let_last()
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    run.store.look_ups.open()
    answers = [await each for each in both]
    assert sorted(each.replayed for each in answers) == [False, True]
    assert len({each.position for each in answers}) == 1
    assert len(await run.log()) == 2


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_whatever_the_order_of_look_ups_one_id_is_executed_once(
    run: Running, order: tuple[int, ...]
) -> None:
    same = run.ids.named()
    run.store.look_ups.close()
    asked = []
    for number, on in enumerate("abc"):
        asked.append(run.tell(on, add(), command_id=same))
        await run.store.look_ups.arrived(number + 1)
    waiting = list(run.store.look_ups.held())
    for each in order:
        waiting[each].set_result(None)
        await settle()
    run.store.look_ups.open()
    answers = [await each.answer() for each in asked]
    assert len([each for each in answers if isinstance(each, Accepted)]) == 1
    assert all(isinstance(each, Accepted | CommandIdReused) for each in answers)
    assert len(await run.log()) == 1


async def test_commands_behind_a_look_up_keep_their_order(run: Running) -> None:
    run.store.look_ups.close()
    old = run.tell("a", add(1), command_id=run.ids.named())
    await run.store.look_ups.arrived()
    behind = [run.tell("a", add(n)) for n in (10, 100)]
    await settle()
    assert behind[0].answers == []
    run.store.look_ups.open()
    versions = [(await each.accepted()).version for each in (old, *behind)]
    assert versions == [1, 2, 3]


async def test_an_id_may_be_sent_again_from_within_its_own_answer(run: Running) -> None:
    same, again = run.ids.fresh(), []
    first = run.tell(
        "a",
        add(),
        command_id=same,
        then=lambda: again.append(run.tell("a", add(), command_id=same)),
    )
    await first.accepted()
    assert (await again[0].accepted()).replayed


async def test_an_id_of_a_later_command_of_the_batch_is_joined_from_within_an_answer(
    run: Running,
) -> None:
    later, joined = run.ids.fresh(), []
    run.store.appends.close()
    run.tell("a", add(), then=lambda: joined.append(run.tell("a", ask("look"), command_id=later)))
    second = run.tell("a", ask("look"), command_id=later)
    run.store.appends.open()
    answer = await second.accepted()
    assert await joined[0].accepted() == answer._replace(replayed=True)
    assert not isinstance(answer, EngineError)
