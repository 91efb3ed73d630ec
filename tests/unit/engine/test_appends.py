"""Direct appends: all or none, through the same states that commands see."""

import asyncio

import pytest
from tests.unit.engine.harness import Running, Start, added, at_version, settle
from tests.unit.engine.tally import add, ask, take

from gesta.domain.catalog import Catalog
from gesta.engine.errors import (
    AggregateExists,
    AggregateNotFound,
    EngineError,
    HandlerBroken,
    InvalidRequest,
    Refused,
    StorageIsFull,
    UnknownAggregateType,
    VersionConflict,
)
from gesta.engine.messages import Accepted, Check, Proposed
from gesta.store.port import StorageFull

BOTH = [("a", 5), ("b", 7)]


def exists(aggregate_id: str, must: bool) -> Check:
    return Check("Tally", aggregate_id, None, must)


def proposed(event_type: str, data: bytes, aggregate_type: str = "Tally") -> Proposed:
    return Proposed(aggregate_type, "a", event_type, 1, data, None, None)


async def test_events_of_several_streams_are_one_command_in_the_order_given(run: Running) -> None:
    await run.tell("b", add(1)).accepted()
    done = await run.append([("a", 5), ("b", 7), ("a", 6)])
    assert (done.version, done.position, done.event_count, done.reply) == (0, 4, 3, b"")
    assert not done.replayed
    events = (await run.log())[1:]
    assert [(e.aggregate_id, e.version) for e in events] == [("a", 1), ("b", 2), ("a", 2)]
    assert [e.more_in_command for e in events] == [True, True, False]
    assert {e.command_id for e in events} == {done.command_id}
    assert len(run.store.batches) == 2


async def test_an_append_to_one_stream_tells_its_version(run: Running) -> None:
    assert (await run.append([("a", 5), ("a", 6)])).version == 2


async def test_a_state_in_memory_has_what_was_appended_and_so_has_one_that_is_loaded(
    run: Running,
) -> None:
    await run.append([("a", 5), ("new", 7), ("a", 6)])
    assert (await run.tell("a", add(1)).accepted()).reply == b"12"
    assert (await run.tell("new", take(7)).accepted()).reply == b"0"
    await run.restart()
    assert await run.total("a") == (3, 12)


@pytest.mark.parametrize(
    ("check", "kind"),
    [
        (at_version("b", 0), VersionConflict),
        (at_version("b", 2), VersionConflict),
        (at_version("c", 1), VersionConflict),
        (exists("b", must=False), AggregateExists),
        (exists("c", must=True), AggregateNotFound),
    ],
)
async def test_of_two_streams_whose_second_check_fails_neither_is_written(
    run: Running, check: Check, kind: type[EngineError]
) -> None:
    await run.tell("b", add(1)).accepted()
    with pytest.raises(kind):
        await run.append(BOTH, [at_version("a", 0), check])
    assert len(await run.log()) == 1
    assert await run.total("b") == (1, 1)
    assert (await run.tell("a", add(), expected_version=0).accepted()).version == 1


async def test_checks_that_hold_let_all_be_written_also_on_a_stream_that_is_only_checked(
    run: Running,
) -> None:
    await run.tell("b", add(1)).accepted()
    checks = [exists("a", must=False), exists("b", must=True), at_version("b", 1)]
    checks.append(at_version("only checked", 0))
    await run.append([*BOTH, ("b", 1)], checks)  # versions before the append, not within it
    assert await run.total("b") == (3, 9)
    await run.tell("only checked", add(), must_exist=False).accepted()


async def test_a_conflict_tells_what_was_expected_and_what_is(run: Running) -> None:
    await run.tell("b", add(1)).accepted()
    with pytest.raises(VersionConflict) as caught:
        await run.append(BOTH, [at_version("b", 3)])
    assert (caught.value.aggregate_id, caught.value.expected, caught.value.actual) == ("b", 3, 1)


@pytest.mark.parametrize(
    ("event", "field"),
    [
        (proposed("Subtracted", b'{"amount":1}'), "events[1].event_type"),
        (proposed("Added", b"{}"), "events[1].data"),
        (proposed("Added", b'{"amount":"1"}'), "events[1].data"),
        (proposed("Added", b'{"amount":1,"more":1}'), "events[1].data"),
        (proposed("Added", b'{"amount":9223372036854775808}'), "events[1].data"),
        (proposed("Added", b"[1]"), "events[1].data"),
        (proposed("Added", b"amount"), "events[1].data"),
        (proposed("Added", b'{"amount":1}')._replace(schema_version=9), "events[1].event_type"),
    ],
)
async def test_an_event_that_the_code_of_today_refuses_is_named_and_nothing_is_written(
    run: Running, event: Proposed, field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        await run.append([added("a", 5), event, added("b", 5)])
    assert caught.value.field == field
    assert await run.log() == []
    assert (await run.tell("a", add(1)).accepted()).reply == b"1"


async def test_an_event_whose_evolve_fails_is_a_fault_and_nothing_is_written(run: Running) -> None:
    with pytest.raises(HandlerBroken) as caught:
        await run.append([added("a", 5), proposed("Poisoned", b"{}")])
    assert "poison" not in str(caught.value)
    assert await run.log() == []
    assert (await run.tell("a", add(1)).accepted()).reply == b"1"


@pytest.mark.parametrize("named_by", ["an event", "a check"])
async def test_where_types_are_hosted_no_other_one_is_taken(run: Running, named_by: str) -> None:
    events, checks = [added("a", 5)], list[Check]()
    if named_by == "an event":
        events.append(proposed("Added", b'{"amount":1}', "Tale"))
    else:
        checks.append(Check("Tale", "a", 0, None))
    with pytest.raises(UnknownAggregateType) as caught:
        await run.append(events, checks)
    assert caught.value.aggregate_type == "Tale"
    assert await run.log() == []


async def test_where_none_is_hosted_any_type_is_taken_and_no_payload_looked_into(
    start: Start,
) -> None:
    run = await start(catalog=Catalog.of())
    events = [proposed("Told", b"\xff not JSON", "Tale"), proposed("", b"", "")]
    done = await run.append([*events, events[0]], [Check("Tale", "a", 0, None)])
    assert done.event_count == 3
    assert [(e.aggregate_type, e.version, e.data) for e in await run.log()] == [
        ("Tale", 1, b"\xff not JSON"),
        ("", 1, b""),
        ("Tale", 2, b"\xff not JSON"),
    ]
    with pytest.raises(VersionConflict) as caught:
        await run.append(events, [Check("Tale", "a", 1, None)])
    assert caught.value.actual == 2


async def test_an_append_between_two_commands_has_the_version_between(run: Running) -> None:
    run.store.appends.close()
    before = run.tell("a", add(1))
    await run.store.appends.arrived()
    append = run.append([("a", 10), ("b", 10)], [at_version("a", 1)])
    await settle()
    after = run.tell("a", add(100), expected_version=2)
    late = run.append([("a", 1_000)], [at_version("a", 2)])
    await settle()
    assert not append.done()
    run.store.appends.open()
    assert (await before.accepted()).reply == b"1"
    assert isinstance(await append, Accepted)
    assert (await after.accepted()).reply == b"111"
    with pytest.raises(VersionConflict):
        await late
    assert await run.total("a") == (3, 111)


@pytest.mark.parametrize("later", ["a", "b"])
async def test_a_refused_append_waits_for_the_last_commit_that_it_rests_on(
    run: Running, later: str
) -> None:
    sooner = "b" if later == "a" else "a"
    run.store.appends.close()
    run.store.append_failures.append(None)
    run.store.fail_append(StorageFull())
    first = run.tell(sooner, add())
    await run.store.appends.arrived()
    second = run.tell(later, add())
    append = run.append(BOTH, [at_version(later, 0)])
    await settle()
    run.store.appends.let()
    await first.accepted()
    await run.store.appends.arrived()
    await settle()
    assert not append.done()
    run.store.appends.open()
    await second.refused(StorageIsFull)
    with pytest.raises(StorageIsFull):
        await append


@pytest.mark.parametrize("ends", ["well", "badly"])
async def test_a_refusal_that_rests_on_an_append_waits_for_it_and_falls_with_it(
    run: Running, ends: str
) -> None:
    run.store.appends.close()
    if ends == "badly":
        run.store.fail_append(StorageFull())
    append = run.append(BOTH)
    await run.store.appends.arrived()
    refusals = [run.tell("a", take(6)), run.tell("b", add(), must_exist=False)]
    await settle()
    assert [each.answers for each in refusals] == [[], []]
    run.store.appends.open()
    await asyncio.wait([append])
    kinds = (Refused, AggregateExists) if ends == "well" else (StorageIsFull, StorageIsFull)
    for refusal, kind in zip(refusals, kinds, strict=True):
        assert type(await refusal.answer()) is kind
    assert (append.exception() is None) == (ends == "well")


async def test_a_command_that_waits_for_its_turn_sees_an_append_that_did_not(run: Running) -> None:
    run.store.look_ups.close()
    waiting = run.tell("a", ask("look"), command_id=run.ids.named())
    await run.store.look_ups.arrived()
    await run.append([("a", 5)])
    run.store.look_ups.open()
    assert (await waiting.accepted()).reply == b"5"
