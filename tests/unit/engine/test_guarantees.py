"""The guarantees of the design, one by one, where the engine alone can keep or break them."""

import pytest
from tests.unit.engine.harness import Running, Start, settle
from tests.unit.engine.tally import Ask, add, ask, take

from gesta.engine.errors import (
    AggregateExists,
    AggregateNotFound,
    EngineError,
    Overloaded,
    Refused,
    StorageIsFull,
    VersionConflict,
)
from gesta.engine.limits import Limits
from gesta.store.port import StorageFull

Unmet = tuple[Ask, dict[str, object], type[EngineError]]

REFUSALS: list[Unmet] = [
    (take(9), {}, Refused),
    (add(), {"expected_version": 0}, VersionConflict),
    (add(), {"must_exist": False}, AggregateExists),
]


async def test_g1_a_reply_waits_for_its_commit(run: Running) -> None:
    run.store.appends.close()
    asked = run.tell("a", add(5))
    await run.store.appends.arrived()
    await settle()
    assert asked.answers == []
    run.store.appends.open()
    assert (await asked.accepted()).reply == b"5"


async def test_g1_a_written_batch_is_not_acknowledged_before_the_store_says_so(
    run: Running,
) -> None:
    run.store.written.close()
    asked = run.tell("a", add(5))
    await run.store.written.arrived()
    await settle()
    assert asked.answers == []
    assert run.engine.head == 0


async def test_g2_versions_are_contiguous_over_batches_behind_each_other(run: Running) -> None:
    run.store.appends.close()
    first = run.tell("a", add())
    await run.store.appends.arrived()
    behind = [run.tell("a", add()) for _ in range(3)]
    run.store.appends.open()
    assert [(await each.accepted()).version for each in (first, *behind)] == [1, 2, 3, 4]


async def test_g2_a_conflict_is_definite_and_writes_nothing(run: Running) -> None:
    await run.tell("a", add()).accepted()
    conflict = await run.tell("a", add(), expected_version=4).refused(VersionConflict)
    assert (conflict.expected, conflict.actual) == (4, 1)
    assert len(await run.log()) == 1


async def test_g3_the_position_in_a_reply_is_the_one_in_the_log(run: Running) -> None:
    asked = [run.tell(f"a{n % 3}", ask("add_each", amounts=[n] * (n % 4))) for n in range(20)]
    answers = [await each.accepted() for each in asked]
    log = await run.log()
    for answer in answers:
        mine = [e.position for e in log if e.command_id == answer.command_id]
        assert answer.event_count == len(mine)
        assert not mine or answer.position == mine[-1]


@pytest.mark.parametrize(("asked", "options", "kind"), REFUSALS)
async def test_g4_a_refusal_waits_for_the_commit_it_rests_on(
    run: Running, asked: Ask, options: dict[str, int], kind: type[EngineError]
) -> None:
    run.store.appends.close()
    run.tell("a", add(5))
    await run.store.appends.arrived()
    refusal = run.tell("a", asked, **options)  # type: ignore[arg-type]
    elsewhere = run.tell("b", take(9))
    await settle()
    assert refusal.answers == []
    assert elsewhere.answers  # it rests on nothing that is under way
    run.store.appends.open()
    await refusal.refused(kind)


@pytest.mark.parametrize(("asked", "options", "kind"), REFUSALS)
async def test_g4_a_refusal_waits_for_the_open_batch_behind_the_one_in_flight(
    run: Running, asked: Ask, options: dict[str, int], kind: type[EngineError]
) -> None:
    run.store.appends.close()
    run.tell("a", add(1))
    await run.store.appends.arrived()
    run.tell("a", add(1))  # the next batch
    refusal = run.tell("a", asked, **options)  # type: ignore[arg-type]
    run.store.appends.let()
    await run.store.appends.arrived()
    await settle()
    assert refusal.answers == []
    run.store.appends.let()
    await refusal.refused(kind)


@pytest.mark.parametrize(("asked", "options", "kind"), REFUSALS)
async def test_g4_a_refusal_is_not_done_when_what_it_rests_on_fails(
    run: Running, asked: Ask, options: dict[str, int], kind: type[EngineError]
) -> None:
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    first = run.tell("a", add(5))
    await run.store.appends.arrived()
    refusal = run.tell("a", asked, **options)  # type: ignore[arg-type]
    run.store.appends.open()
    await first.refused(StorageIsFull)
    await refusal.refused(StorageIsFull)


async def test_g4_a_command_without_events_waits_for_what_it_saw(run: Running) -> None:
    run.store.appends.close()
    run.tell("a", add(5))
    await run.store.appends.arrived()
    look = run.tell("a", ask("look"))
    run.store.appends.let()
    await run.store.appends.arrived()
    await settle()
    assert look.answers == []
    run.store.appends.let()
    answer = await look.accepted()
    assert (answer.reply, answer.version, answer.position, answer.event_count) == (b"5", 1, 1, 0)


async def test_g4_reads_see_only_what_is_confirmed_and_wait_for_nothing(run: Running) -> None:
    await run.tell("a", add(1)).accepted()
    run.store.appends.close()
    run.tell("a", add(10))
    fresh = run.tell("b", add(1))
    await run.store.appends.arrived()
    run.tell("a", add(100))
    assert await run.total("a") == (1, 1)
    query = await run.engine.reads.query("Tally", "a", "sum", b"{}", "me")
    assert (query.data, query.head) == (b"1", 1)
    (listed,) = await run.engine.reads.list("Tally", "", "", 9)
    assert listed.stream.aggregate_id == "a"
    with pytest.raises(AggregateNotFound):
        await run.total("b")
    run.store.appends.open()
    await fresh.accepted()


async def test_g4_a_read_made_in_the_answer_sees_the_command(run: Running) -> None:
    for amount in range(1, 6):
        answer = await run.tell("a", add()).accepted()
        assert await run.total("a") == (amount, amount)
        assert run.engine.head >= answer.position


async def test_g5_the_same_id_gets_the_same_answer(run: Running) -> None:
    same = run.ids.fresh()
    first = await run.tell("a", add(5), command_id=same).accepted()
    await run.tell("a", add(5)).accepted()
    again = await run.tell("a", add(5), command_id=same).accepted()
    assert again == first._replace(replayed=True)
    assert len(await run.log()) == 2


async def test_g7_a_command_is_written_whole_or_not_at_all(run: Running) -> None:
    run.store.fail_append(StorageFull())
    await run.tell("a", ask("flood", count=7)).refused(StorageIsFull)
    assert await run.log() == []
    await run.tell("a", ask("flood", count=7)).accepted()
    assert [e.more_in_command for e in await run.log()] == [True] * 6 + [False]


async def test_g10_what_is_too_much_is_refused_at_once_and_nothing_is_dropped(
    start: Start,
) -> None:
    run = await start(Limits(commands_waiting_max=3))
    run.store.appends.close()
    taken = [run.tell(f"a{n}", add()) for n in range(3)]
    error = await run.tell("b", add()).refused(Overloaded)
    assert error.what == "commands_waiting_max"
    assert error.retry_after_ms > 0
    run.store.appends.open()
    for each in taken:
        await each.accepted()
    await run.tell("b", add()).accepted()
