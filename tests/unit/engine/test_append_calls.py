"""An append as a call: ids, limits, servers that stop, callers that leave."""

import asyncio
from collections.abc import Sequence

import pytest
from tests.unit.engine.harness import Running, Start, added, at_version, settle
from tests.unit.engine.tally import add

from gesta.engine.errors import (
    CommandIdReused,
    Draining,
    LimitExceeded,
    Overloaded,
    StorageIsFull,
)
from gesta.engine.limits import Limits
from gesta.engine.messages import Append, Check, Envelope, Proposed
from gesta.store.port import StorageFull

BOTH = [("a", 5), ("b", 7)]


def padded(size: int) -> Proposed:
    """An event with so many bytes of payload."""
    return added("a", 1)._replace(data=b'{"amount":1}'.ljust(size))


async def test_every_event_has_the_envelope_and_its_own_metadata(run: Running) -> None:
    envelope = Envelope(correlation_id="c", causation_id="d", traceparent="t")
    events = [
        added("a", 1)._replace(metadata=b'{"n":"1"}', occurred_at_us=5),
        added("b", 2),
    ]
    append = Append(events, (), run.ids.fresh(), bytes(16), envelope)
    await run.engine.appends.append(append)
    log = await run.log()
    for event in log:
        told = (event.correlation_id, event.causation_id, event.traceparent, event.principal)
        assert told == ("c", "d", "t", "anonymous")
    assert [(e.metadata, e.occurred_at_us) for e in log] == [(b'{"n":"1"}', 5), (None, None)]


@pytest.mark.parametrize("kind", ["fresh", "named"])
async def test_the_same_id_has_the_same_answer_at_once_later_and_after_a_restart(
    run: Running, kind: str
) -> None:
    same = run.ids.fresh() if kind == "fresh" else run.ids.named()
    run.store.appends.close()
    both = [run.append(BOTH, command_id=same) for _ in range(2)]
    await run.store.appends.arrived()
    await settle()
    run.store.appends.open()
    # Whichever was looked up sooner is the first.
    first, *again = sorted([await each for each in both], key=lambda each: each.replayed)
    again.append(await run.append(BOTH, command_id=same))
    await run.restart()
    again.append(await run.append(BOTH, command_id=same))
    assert again == [first._replace(replayed=True)] * 3
    assert len(await run.log()) == 2


async def test_an_id_stands_for_one_append_and_for_no_command(run: Running) -> None:
    same, of_command = run.ids.fresh(), run.ids.fresh()
    await run.append(BOTH, command_id=same)
    with pytest.raises(CommandIdReused):
        await run.append([("a", 5), ("b", 8)], command_id=same)
    await run.tell("a", add(5), command_id=same).refused(CommandIdReused)
    await run.tell("a", add(5), command_id=of_command).accepted()
    with pytest.raises(CommandIdReused):
        await run.append(BOTH, command_id=of_command)
    assert len(await run.log()) == 3


async def test_an_append_that_failed_with_its_generation_may_be_sent_again(run: Running) -> None:
    same = run.ids.fresh()
    run.store.fail_append(StorageFull())
    with pytest.raises(StorageIsFull):
        await run.append(BOTH, [at_version("a", 0)], command_id=same)
    assert not (await run.append(BOTH, [at_version("a", 0)], command_id=same)).replayed


SMALL = Limits(
    aggregates_per_append_max=2,
    events_per_command_max=4,
    bytes_per_command_max=500,
    bytes_per_event_max=200,
)


@pytest.mark.parametrize(
    ("events", "checks", "limit"),
    [
        ([("a", 1), ("b", 1), ("c", 1)], [], "aggregates_per_append_max"),
        ([("a", 1), ("b", 1)], [at_version("c", 0)], "aggregates_per_append_max"),
        ([("a", 1)] * 5, [], "events_per_command_max"),
        ([padded(201)], [], "bytes_per_event_max"),
        ([padded(160)] * 3, [], "bytes_per_command_max"),
        ([added("a", 1)._replace(metadata=b"m" * 500)], [], "bytes_per_command_max"),
    ],
)
async def test_what_is_too_much_for_one_append_is_refused_with_the_limit(
    start: Start, events: list[Proposed], checks: Sequence[Check], limit: str
) -> None:
    run = await start(SMALL)
    with pytest.raises(LimitExceeded) as caught:
        await run.append(events, checks)
    assert caught.value.limit == limit
    assert caught.value.maximum == getattr(SMALL, limit)
    assert await run.log() == []


async def test_the_envelope_counts_with_each_event_of_an_append(start: Start) -> None:
    run = await start(SMALL)
    events = [added("a", 1)] * 3
    large = Append(events, (), run.ids.fresh(), bytes(16), Envelope(traceparent="t" * 160))
    with pytest.raises(LimitExceeded) as caught:
        await run.engine.appends.append(large)
    assert caught.value.limit == "bytes_per_command_max"
    await run.append(events)


async def test_so_much_as_is_allowed_is_written(start: Start) -> None:
    run = await start(SMALL)
    assert (await run.append([("a", 1), ("b", 1)] * 2, [at_version("a", 0)])).event_count == 4


async def test_the_events_of_an_append_count_among_the_bytes_that_wait(start: Start) -> None:
    run = await start(Limits(bytes_waiting_max=500))
    await run.warm("a", "b")
    run.store.appends.close()
    append = run.append([added("a", 1)._replace(metadata=b"m" * 500)])
    await run.store.appends.arrived()
    await run.tell("b", add()).refused(Overloaded)
    run.store.appends.open()
    await append
    await run.tell("b", add()).accepted()


async def test_only_so_many_appends_wait_at_once(start: Start) -> None:
    run = await start(Limits(appends_waiting_max=2))
    run.store.appends.close()
    taken = [run.append([(on, 1)]) for on in "ab"]
    await run.store.appends.arrived()
    with pytest.raises(Overloaded) as caught:
        await run.append([("c", 1)])
    assert caught.value.what == "appends_waiting_max"
    run.store.appends.open()
    for each in taken:
        await each
    await run.append([("c", 1)])


async def test_a_server_that_drains_answers_what_it_has_taken_and_takes_no_more(
    run: Running,
) -> None:
    run.store.loads.close()
    run.store.appends.close()
    loading, committing = run.append([("new", 1)]), run.append(BOTH)
    await run.store.loads.arrived()
    await run.store.appends.arrived()
    closing = run.closing()
    await settle()
    with pytest.raises(Draining):
        await run.append(BOTH)
    assert not closing.done()
    run.store.loads.open()
    run.store.appends.open()
    await committing
    await loading
    await closing
    await run.start()
    assert len(await run.log()) == 3


@pytest.mark.parametrize("leaves_during", ["loads", "look_ups", "appends", "written"])
async def test_an_append_whose_caller_left_still_counts_as_waiting_and_is_written(
    run: Running, leaves_during: str
) -> None:
    valve = getattr(run.store, leaves_during)
    valve.close()
    same = run.ids.named()
    append = run.append([("new", 5), ("b", 7)], command_id=same)
    await valve.arrived()
    append.cancel()
    with pytest.raises(asyncio.CancelledError):
        await append
    closing = run.closing()
    await settle()
    assert not closing.done()
    valve.open()
    await closing
    await run.start()
    assert (await run.append([("new", 5), ("b", 7)], command_id=same)).replayed
    assert len(await run.log()) == 2


async def test_an_append_whose_caller_left_holds_nothing_afterwards(run: Running) -> None:
    run.store.appends.close()
    append = run.append(BOTH)
    await run.store.appends.arrived()
    append.cancel()
    run.store.appends.open()
    await run.engine.appends.idle()
    await settle()
    assert run.engine._registry.passivate_idle(0) == 3
