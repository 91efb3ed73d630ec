"""Group commit: what goes into a batch, and when."""

import pytest
from tests.unit.engine.harness import Running, Start
from tests.unit.engine.tally import add, ask

from gesta.engine.errors import LimitExceeded, Overloaded
from gesta.engine.limits import Limits
from gesta.engine.messages import Envelope


async def test_the_next_batch_fills_while_one_commits(run: Running) -> None:
    run.store.appends.close()
    first = run.tell("a", add())
    await run.store.appends.arrived()
    behind = [run.tell("abc"[n % 3], add()) for n in range(50)]
    run.store.appends.open()
    for each in (first, *behind):
        await each.accepted()
    assert [len(batch.events) for batch in run.store.batches] == [1, 50]


async def test_a_sealed_batch_takes_no_more(run: Running) -> None:
    run.store.appends.close()
    run.tell("a", add())
    await run.store.appends.arrived()
    behind = run.tell("a", add())
    run.store.appends.let()
    await run.store.appends.arrived()
    assert [len(batch.events) for batch in run.store.batches] == [1]
    run.store.appends.open()
    await behind.accepted()


async def test_a_batch_is_sealed_at_its_limit_of_events(start: Start) -> None:
    run = await start(Limits(batch_events_max=4))
    run.store.appends.close()
    first = run.tell("z", add())
    await run.store.appends.arrived()
    behind = [run.tell(f"a{n}", ask("flood", count=3)) for n in range(3)]
    run.tell("b", add())
    run.store.appends.open()
    for each in (first, *behind):
        await each.accepted()
    assert [len(batch.events) for batch in run.store.batches] == [1, 3, 3, 4]


async def test_a_batch_is_sealed_at_its_limit_of_bytes(start: Start) -> None:
    run = await start(Limits(batch_bytes_max=1_000))
    run.store.appends.close()
    first = run.tell("z", add())
    await run.store.appends.arrived()
    behind = [run.tell("a", ask("add", amount=1, note="x" * 400)) for _ in range(4)]
    run.store.appends.open()
    for each in (first, *behind):
        await each.accepted()
    assert [len(batch.events) for batch in run.store.batches] == [1, 2, 2]


async def test_replies_count_in_the_bytes_of_a_batch(start: Start) -> None:
    run = await start(Limits(batch_bytes_max=1_000))
    run.store.appends.close()
    first = run.tell("z", add())
    await run.store.appends.arrived()
    behind = [run.tell("a", ask("recite", length=400)) for _ in range(4)]
    run.store.appends.open()
    for each in (first, *behind):
        await each.accepted()
    assert [len(batch.commands) for batch in run.store.batches] == [1, 2, 2]


async def test_a_command_larger_than_a_batch_goes_alone(start: Start) -> None:
    run = await start(Limits(batch_events_max=4))
    run.store.appends.close()
    first = run.tell("z", add())
    await run.store.appends.arrived()
    behind = [run.tell("a", add()), run.tell("a", ask("flood", count=9)), run.tell("a", add())]
    run.store.appends.open()
    for each in (first, *behind):
        await each.accepted()
    assert [len(batch.events) for batch in run.store.batches] == [1, 1, 9, 1]


async def test_events_carry_the_envelope_and_the_time_of_their_commit(run: Running) -> None:
    run.store.appends.close()
    asked = run.tell("a", ask("flood", count=2))
    run.clock.us += 5
    await run.store.appends.arrived()
    run.clock.us += 5
    run.store.appends.open()
    answer = await asked.accepted()
    log = await run.log()
    assert {e.commit_time_us for e in log} == {run.clock.us - 5}
    assert {e.principal for e in log} == {"anonymous"}
    assert {e.command_id for e in log} == {answer.command_id}
    assert log[0].event_id < log[1].event_id


@pytest.mark.parametrize(
    "envelope",
    [
        Envelope(metadata=b"m" * 100),
        Envelope(principal="p" * 109),
        Envelope(correlation_id="c" * 100),
        Envelope(causation_id="c" * 100),
        Envelope(traceparent="\N{LATIN SMALL LETTER E WITH ACUTE}" * 50),
    ],
    ids=["metadata", "principal", "correlation_id", "causation_id", "traceparent"],
)
async def test_the_envelope_counts_with_each_event_of_a_command(
    start: Start, envelope: Envelope
) -> None:
    run = await start(Limits(bytes_per_command_max=1_000))
    error = await run.tell("a", ask("flood", count=9), envelope=envelope).refused(LimitExceeded)
    assert (error.limit, error.maximum) == ("bytes_per_command_max", 1_000)
    assert await run.log() == []
    await run.tell("a", ask("flood", count=9)).accepted()
    await run.tell("a", ask("flood", count=7), envelope=envelope).accepted()


async def test_the_envelope_counts_in_the_bytes_of_a_batch(start: Start) -> None:
    run = await start(Limits(batch_bytes_max=1_000))
    run.store.appends.close()
    first = run.tell("z", add())
    await run.store.appends.arrived()
    envelope = Envelope(metadata=b"m" * 400)
    behind = [run.tell("a", add(), envelope=envelope) for _ in range(4)]
    run.store.appends.open()
    for each in (first, *behind):
        await each.accepted()
    assert [len(batch.events) for batch in run.store.batches] == [1, 2, 2]


@pytest.mark.parametrize("before", ["its turn", "its commit"])
async def test_the_envelope_counts_in_the_bytes_that_wait(start: Start, before: str) -> None:
    run = await start(Limits(bytes_waiting_max=1_000))
    envelope = Envelope(metadata=b"m" * 600)
    if before == "its commit":
        await run.warm("a")
    run.store.loads.close()
    run.store.appends.close()
    taken = [run.tell("a", add(), envelope=envelope)]
    if before == "its turn":
        taken.append(run.tell("a", add(), envelope=envelope))
    error = await run.tell("a", add()).refused(Overloaded)
    assert error.what == "bytes_waiting_max"
    run.store.loads.open()
    run.store.appends.open()
    for each in taken:
        await each.accepted()
    await run.tell("a", add()).accepted()


async def test_a_batch_sealed_at_the_beginning_of_time_takes_no_more_either(run: Running) -> None:
    run.clock.us = 0
    await run.restart()
    await run.warm("a")
    run.store.appends.close()
    run.tell("a", add())
    await run.store.appends.arrived()
    behind = run.tell("a", add())
    run.store.appends.open()
    assert (await behind.accepted()).position == 2
    assert [len(batch.events) for batch in run.store.batches] == [1, 1]
