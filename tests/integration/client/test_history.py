"""Aggregates as they stood, what happened to them, and what a command would do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.edge.tally import Added, Tally

from gesta.client import AggregateNotFound, Change, Client, OutOfRange, UnknownCommand
from gesta.server.process import Server

VERSIONS = 40


@pytest.fixture
async def positions(client: Client) -> list[int]:
    """Of the events of Tally t, with those of others between them; the index is the version."""
    found = [0]
    for number in range(1, VERSIONS + 1):
        done = await client.aggregate(Tally, "t").execute(Tally.add(number))
        found.append(done.position)
        await client.aggregate(Tally, "other").execute(Tally.burst(2))
    return found


def at(version: int) -> Tally:
    """The state after that version, worked out by hand."""
    return Tally(total=version * (version + 1) // 2, count=version)


async def test_a_state_at_every_version_is_the_fold_of_the_events_up_to_it(
    client: Client, positions: list[int]
) -> None:
    for version in range(1, VERSIONS + 1):
        found = await client.aggregate(Tally, "t").state(at_version=version)
        assert (found.version, found.state) == (version, at(version))
        assert found.position == (await client.info()).head


async def test_a_state_at_a_position_rests_on_the_last_event_at_or_before_it(
    client: Client, positions: list[int]
) -> None:
    head = (await client.info()).head
    for position in range(positions[1], head + 1):
        version = max(v for v, place in enumerate(positions) if place <= position)
        found = await client.state("Tally", "t", at_position=position)
        assert (found.version, found.state["count"]) == (version, version)


async def test_a_state_at_a_time_rests_on_the_last_event_committed_by_then(
    client: Client, positions: list[int]
) -> None:
    events = [event async for event in client.read(("Tally", "t"))]
    for event in events:
        last = max(each.version for each in events if each.commit_time <= event.commit_time)
        found = await client.state("Tally", "t", at_time=event.commit_time)
        assert found.version == last
    before = await client.state("Tally", "t", at_time=datetime.now(UTC))
    assert before.version == VERSIONS


async def test_moments_that_never_were_are_out_of_range_and_say_what_there_is(
    client: Client, positions: list[int]
) -> None:
    (first,) = [event async for event in client.read(("Tally", "t"), limit=1)]
    head = (await client.info()).head
    now = datetime.now(UTC)
    tally = client.aggregate(Tally, "t")
    for version in (0, VERSIONS + 1, -1):
        with pytest.raises(OutOfRange) as out:
            await tally.state(at_version=version)
        told = (out.value.field, out.value.asked, out.value.first, out.value.last)
        assert told == ("at_version", version, 1, VERSIONS)
    for position in (0, head + 1):
        with pytest.raises(OutOfRange) as out:
            await tally.state(at_position=position)
        assert (out.value.first, out.value.last) == (first.position, head)
    for time in (first.commit_time - timedelta(microseconds=1), now + timedelta(days=1)):
        with pytest.raises(OutOfRange, match=str(first.commit_time.date())) as out:
            await tally.state(at_time=time)
        assert out.value.field == "at_time"


async def test_only_one_moment_with_a_zone_can_be_asked_for(client: Client) -> None:
    with pytest.raises(ValueError, match="one moment at a time"):
        await client.state("Tally", "t", at_version=1, at_position=1)
    with pytest.raises(ValueError, match="time zone"):
        await client.state("Tally", "t", at_time=datetime(2026, 1, 1))  # noqa: DTZ001


async def test_what_has_no_event_has_no_past(client: Client) -> None:
    tally = client.aggregate(Tally, "never")
    with pytest.raises(AggregateNotFound):
        await tally.state(at_version=1)
    with pytest.raises(AggregateNotFound):
        [change async for change in tally.history()]


async def test_a_history_tells_every_version_with_the_state_on_both_sides(
    client: Client, positions: list[int]
) -> None:
    changes = [change async for change in client.aggregate(Tally, "t").history()]
    assert [change.event.version for change in changes] == list(range(1, VERSIONS + 1))
    assert [change.event.position for change in changes] == positions[1:]
    assert [change.before for change in changes] == [at(v) for v in range(VERSIONS)]
    assert [change.after for change in changes] == [at(v) for v in range(1, VERSIONS + 1)]
    assert changes[-1].event.decode(Tally) == Added(VERSIONS)


async def test_a_history_begins_behind_a_version_and_ends_at_a_limit(
    client: Client, positions: list[int]
) -> None:
    tally = client.aggregate(Tally, "t")

    async def versions(after: int, limit: int) -> list[int]:
        found: list[Change[Tally]] = [
            change async for change in tally.history(after_version=after, limit=limit)
        ]
        assert all(change.before == at(change.event.version - 1) for change in found)
        return [change.event.version for change in found]

    assert await versions(10, 3) == [11, 12, 13]
    assert await versions(VERSIONS - 1, 5) == [VERSIONS]
    assert await versions(VERSIONS, 0) == []
    with pytest.raises(OutOfRange):
        await versions(VERSIONS + 1, 0)
    with pytest.raises(ValueError, match="limit"):
        await versions(0, -1)


async def test_a_long_history_comes_in_many_frames(client: Client) -> None:
    for _ in range(3):
        await client.aggregate(Tally, "long").execute(Tally.burst(900, note="x" * 100))
    counts = [change.after.count async for change in client.aggregate(Tally, "long").history()]
    assert counts == list(range(1, 2_701))


async def test_a_dry_run_says_what_a_command_would_do_and_writes_nothing(
    client: Client, server: Server, positions: list[int]
) -> None:
    head = (await client.info()).head
    tally = client.aggregate(Tally, "t")
    outlook = await tally.dry_run(Tally.add(5, note="if"))
    after = replace(at(VERSIONS), total=at(VERSIONS).total + 5, count=VERSIONS + 1)
    assert (outlook.version, outlook.reply, outlook.state) == (VERSIONS + 1, after.total, after)
    (event,) = outlook.events
    assert (event.event_type, event.schema_version) == ("Added", 1)
    assert event.payload == {"amount": 5, "note": "if"}
    assert outlook.refusal is None
    assert (await client.info()).head == head == outlook.position
    assert (await tally.state()).state == at(VERSIONS)


async def test_a_dry_run_at_a_past_version_is_decided_on_the_state_of_then(
    client: Client, positions: list[int]
) -> None:
    tally = client.aggregate(Tally, "t")
    outlook = await tally.dry_run(Tally.burst(2), at_version=7)
    assert (outlook.version, outlook.state.total) == (9, at(7).total + 2)
    begun = await client.aggregate(Tally, "new").dry_run(Tally.add(1), at_version=0)
    assert (begun.version, begun.state) == (1, Tally(1, 1))
    for version in (VERSIONS + 1, -1):
        with pytest.raises(OutOfRange):
            await tally.dry_run(Tally.add(1), at_version=version)


async def test_a_refusal_in_a_dry_run_is_part_of_its_answer(
    client: Client, positions: list[int]
) -> None:
    outlook = await client.aggregate(Tally, "t").dry_run(Tally.add(-1))
    assert outlook.refusal is not None
    assert (outlook.refusal.reason, outlook.refusal.details) == ("NEGATIVE", {"amount": "-1"})
    assert (outlook.version, outlook.events, outlook.reply) == (VERSIONS, [], None)
    assert outlook.state == at(VERSIONS)


async def test_a_dry_run_of_no_command_is_the_error_that_execute_gives(client: Client) -> None:
    with pytest.raises(UnknownCommand):
        await client.dry_run("Tally", "t", "steal")
