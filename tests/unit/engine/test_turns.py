"""Whatever a turn meets, a deadline or a bug, its command is answered, and so is every other."""

from typing import Never

import pytest
from tests.unit.engine.harness import Running, Start, settle
from tests.unit.engine.tally import WAYS_OUT, add, ask, take

from gesta.engine.command_ids import CommandIds
from gesta.engine.errors import (
    ExpiredInQueue,
    HandlerBroken,
    InternalError,
    Outcome,
    OutcomeUnknown,
    Refused,
    StorageUnavailable,
)
from gesta.store.port import StorageFailed


class Bug(Exception):
    """One of ours."""


def broken(*_: object) -> Never:
    raise Bug


async def test_a_command_whose_deadline_passes_while_it_waits_is_not_executed(run: Running) -> None:
    run.store.look_ups.close()
    first = run.tell("a", add(), command_id=run.ids.named())
    await run.store.look_ups.arrived()
    late = run.tell("a", add(), deadline=run.clock.seconds + 1)
    in_time = run.tell("a", add(), deadline=run.clock.seconds + 2)
    run.clock.seconds += 2
    run.store.look_ups.open()
    await first.accepted()
    assert (await late.refused(ExpiredInQueue)).outcome is Outcome.NOT_DONE
    assert (await in_time.accepted()).version == 2


@pytest.mark.parametrize("kind", ["fresh", "named"])
@pytest.mark.parametrize("first_is", ["committed", "in flight"])
async def test_past_its_deadline_too_a_repeated_command_has_the_first_ones_answer(
    run: Running, kind: str, first_is: str
) -> None:
    same = run.ids.fresh() if kind == "fresh" else run.ids.named()
    if first_is == "in flight":
        run.store.appends.close()
    first = run.tell("a", add(), command_id=same)
    if first_is == "in flight":
        await run.store.appends.arrived()
    else:
        await first.accepted()
    again = run.tell("a", add(), command_id=same, deadline=run.clock.seconds - 1)
    await settle()
    run.store.appends.open()
    assert await again.accepted() == (await first.accepted())._replace(replayed=True)


async def test_past_its_deadline_too_a_repeated_command_has_the_refusal_it_had(
    run: Running,
) -> None:
    same = run.ids.fresh()
    await run.tell("a", take(5), command_id=same).refused(Refused)
    again = run.tell("a", take(5), command_id=same, deadline=run.clock.seconds - 1)
    await again.refused(Refused)


@pytest.mark.parametrize("is_loaded", [False, True])
async def test_a_turn_that_meets_a_bug_answers_its_command_and_those_behind_it(
    start: Start, is_loaded: bool
) -> None:
    run = await start()
    unspeakable = "\ud800"  # no fingerprint can be taken of it; the edge lets no such id in
    if is_loaded:
        await run.tell(unspeakable, add()).answer()
    for each in [run.tell(unspeakable, add()) for _ in range(3)]:
        assert (await each.refused(InternalError)).outcome is Outcome.NOT_DONE
    await run.tell("a", add()).accepted()


@pytest.mark.parametrize("by", WAYS_OUT)
@pytest.mark.parametrize("is_loaded", [False, True])
async def test_code_that_would_end_the_server_fails_its_command_alone(
    run: Running, by: str, is_loaded: bool
) -> None:
    if is_loaded:
        await run.warm("a")
    before = run.tell("a", add())
    same = run.ids.fresh()
    leaving = run.tell("a", ask("leave", by=by), command_id=same)
    behind = run.tell("a", add())
    assert (await leaving.refused(HandlerBroken)).outcome is Outcome.NOT_DONE
    assert [(await each.accepted()).version for each in (before, behind)] == [1, 2]
    await run.tell("a", ask("leave", by=by), command_id=same).refused(HandlerBroken)
    with pytest.raises(HandlerBroken):
        await run.engine.reads.query("Tally", "a", "go", ask("", by=by)[1], "anonymous")
    assert await run.total("a") == (2, 2)


async def test_whoever_takes_an_answer_badly_harms_nobody_else(run: Running) -> None:
    same = run.ids.fresh()
    run.store.appends.close()
    bad = [run.tell("a", add(), command_id=same, then=broken) for _ in range(2)]
    good = run.tell("a", add(), command_id=same)
    behind = run.tell("a", add())
    refusal = run.tell("a", take(9), then=broken)
    run.store.appends.open()
    for each in (*bad, good, behind):
        await each.accepted()
    assert len(refusal.answers) == 1
    run.tell("a", take(9), then=broken)
    assert (await run.tell("a", add()).accepted()).version == 3
    assert not run.engine.failed


@pytest.mark.parametrize("reads", ["work", "have failed"])
async def test_a_writer_that_dies_of_a_bug_answers_everyone_and_is_a_failure(
    run: Running, monkeypatch: pytest.MonkeyPatch, reads: str
) -> None:
    run.store.appends.close()
    stands = run.tell("a", add())
    await run.store.appends.arrived()
    falls, refusal = run.tell("b", add()), run.tell("b", take(9))
    if reads == "have failed":
        run.store.load_errors.append(StorageFailed("EIO"))
        await run.tell("new", add()).refused(StorageUnavailable)
    with monkeypatch.context() as patched:
        patched.setattr(run.chance, "bytes", broken)  # the next batch cannot be sealed
        run.store.appends.let()
        await stands.accepted()
        assert (await falls.refused(OutcomeUnknown)).outcome is Outcome.UNKNOWN
        await refusal.refused(StorageUnavailable)
    assert [type(each) for each in run.failures] == [Bug if reads == "work" else StorageFailed]
    await run.tell("a", add()).refused(StorageUnavailable)


async def test_a_bug_amid_the_answers_to_a_commit_leaves_nobody_waiting(
    run: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.store.appends.close()
    accepted = run.tell("a", add())
    await run.store.appends.arrived()
    refusal, behind = run.tell("a", take(9)), run.tell("b", add())
    with monkeypatch.context() as patched:
        patched.setattr(CommandIds, "refused", broken)
        run.store.appends.let()
        await accepted.accepted()
        await refusal.refused(StorageUnavailable)
        await behind.refused(StorageUnavailable)
    assert [type(each) for each in run.failures] == [Bug]
