"""Reading and appending against a real server."""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import pytest
from tests.integration.edge.tally import Added, Cleared, Ledger, Lined, Tally

from gesta.client import (
    AggregateExists,
    AggregateNotFound,
    Check,
    Client,
    InvalidRequest,
    Match,
    NewEvent,
    OutOfRange,
    Refused,
    VersionConflict,
)


async def positions(client: Client, *args: object, **options: object) -> list[int]:
    return [each.position async for each in client.read(*args, **options)]  # type: ignore[arg-type]


async def written(client: Client) -> None:
    """1 and 4 of a-1, 2 of b-1, 3 of a Ledger."""
    await client.execute("Tally", "a-1", "add", {"amount": 5})
    await client.execute("Tally", "b-1", "clear")
    await client.execute("Ledger", "a-1", "write", {"text": "x"})
    await client.execute("Tally", "a-1", "add", {"amount": 7})


async def test_everything_is_read_in_order_up_to_the_head(client: Client) -> None:
    await written(client)
    reading = client.read()
    assert (reading.token, reading.head) == (None, None)
    events = [each async for each in reading]
    assert [each.position for each in events] == [1, 2, 3, 4]
    assert [Added(5), Cleared(), Lined("x"), Added(7)] == [
        each.decode(Tally, Ledger) for each in events
    ]
    assert reading.head == 4
    assert reading.token == (await client.info()).token


async def test_a_reading_can_be_iterated_over_again(client: Client) -> None:
    reading = client.read()
    assert [each async for each in reading] == []
    await written(client)
    assert len([each async for each in reading]) == 4


async def test_a_part_is_read_by_type_by_aggregate_and_by_filter(client: Client) -> None:
    await written(client)
    assert await positions(client, where=Match(aggregate_types=[Tally])) == [1, 2, 4]
    assert await positions(client, (Tally, "a-1")) == [1, 4]
    assert await positions(client, where=Match(id_prefix="a-")) == [1, 3, 4]
    assert await positions(
        client, where=[Match(event_types=[Cleared]), Match(aggregate_types=["Ledger"])]
    ) == [2, 3]


async def test_a_part_is_read_by_correlation_and_by_command(client: Client) -> None:
    first = await client.execute("Tally", "a-1", "add", {"amount": 5})
    begun_by_first = str(first.command_id)
    second = await client.execute("Tally", "b-1", "clear", correlation_id=begun_by_first)
    await client.execute("Ledger", "a-1", "write", {"text": "x"}, correlation_id="order-1")
    await client.execute("Tally", "a-1", "add", {"amount": 7})
    assert await positions(client, where=Match(correlation_id=begun_by_first)) == [1, 2]
    assert await positions(client, where=Match(correlation_id="order-1")) == [3]
    assert await positions(client, where=Match(correlation_id=str(second.command_id))) == []
    assert await positions(client, where=Match(command_id=second.command_id)) == [2]
    both = Match(correlation_id=begun_by_first, id_prefix="b-")
    assert await positions(client, where=both) == [2]


async def test_reading_begins_after_a_place_in_either_direction(client: Client) -> None:
    await written(client)
    first = (await client.state("Tally", "b-1")).token
    assert await positions(client, after=2) == [3, 4]
    assert await positions(client, after=first) == []
    assert await positions(client, (Tally, "a-1"), after=1) == [4]
    assert await positions(client, backwards=True) == [4, 3, 2, 1]
    assert await positions(client, backwards=True, limit=2) == [4, 3]
    assert await positions(client, backwards=True, after=2) == [1]
    now = datetime.now(UTC)
    assert await positions(client, after=now + timedelta(hours=1)) == []
    assert await positions(client, after=now - timedelta(hours=1)) == [1, 2, 3, 4]


async def test_an_aggregate_without_events_is_not_found_and_other_mistakes_are_told(
    client: Client,
) -> None:
    with pytest.raises(AggregateNotFound):
        await positions(client, (Tally, "none"))
    with pytest.raises(InvalidRequest):
        await positions(client, after="not a token")
    with pytest.raises(OutOfRange) as out:
        await positions(client, after=1_000)
    assert (out.value.asked, out.value.last) == (1_000, 0)
    assert "after_position" in out.value.field
    with pytest.raises(ValueError, match="limit"):
        client.read(limit=-1)


async def test_batches_are_whole_and_together_are_everything(client: Client) -> None:
    await asyncio.gather(
        *(client.execute("Tally", "a", "burst", {"events": 500}) for _ in range(10))
    )
    batches = [each async for each in client.read().batches()]
    assert len(batches) > 1
    assert all(batches)
    assert list(range(1, 5_001)) == [each.position for batch in batches for each in batch]
    assert not any(batch[-1].more_in_command for batch in batches)


async def test_a_reading_that_is_left_early_ends_its_call(client: Client) -> None:
    await client.execute("Tally", "a", "burst", {"events": 1_000, "note": "x" * 100})
    async with aclosing(client.read().batches()) as batches:
        async for batch in batches:
            assert batch[0].position == 1
            break
    assert (await client.execute("Tally", "a", "add", {"amount": 1})).version == 1_001


async def test_events_are_appended_all_or_none(client: Client) -> None:
    appended = await client.append(
        [
            NewEvent.of(Tally, "a", Added(5), metadata={"source": "import"}),
            NewEvent("Ledger", "b", "Lined", {"text": "x"}),
        ],
        [Check("Tally", "a", expected_version=0), Check("Ledger", "b", must_exist=False)],
        command_id="import-1",
        correlation_id="c-1",
    )
    assert (appended.first_position, appended.position, appended.replayed) == (1, 2, False)
    events = [each async for each in client.read()]
    assert [Added(5), Lined("x")] == [each.decode(Tally, Ledger) for each in events]
    assert {(appended.command_id, "c-1")} == {(e.command_id, e.correlation_id) for e in events}
    assert dict(events[0].metadata) == {"source": "import"}
    with pytest.raises(VersionConflict):
        await client.append(
            [NewEvent.of(Ledger, "c", Lined("y"))], [Check("Tally", "a", expected_version=0)]
        )
    with pytest.raises(AggregateExists):
        await client.append(
            [NewEvent.of(Ledger, "c", Lined("y"))], [Check("Tally", "a", must_exist=False)]
        )
    assert (await client.info()).head == 2


async def test_an_append_repeated_with_its_command_id_gets_the_first_answer(client: Client) -> None:
    events = [NewEvent("Tally", "a", "Added", b'{"amount":1}')]
    first = await client.append(events, command_id="import-1")
    again = await client.append(events, command_id="import-1")
    assert (first.replayed, again.replayed) == (False, True)
    assert (first.position, first.token) == (again.position, again.token)


def test_a_check_says_exactly_one_thing() -> None:
    with pytest.raises(ValueError, match="needs"):
        Check("Tally", "a")
    with pytest.raises(ValueError, match="not both"):
        Check("Tally", "a", expected_version=1, must_exist=True)


async def test_a_repository_decides_here_and_saves_at_the_loaded_version(client: Client) -> None:
    repository = client.repository(Tally)
    loaded = await repository.load("a")
    assert (Tally(), 0) == (loaded.state, loaded.version)
    changed, reply = repository.decide(loaded, Tally.add(5))
    changed, reply = repository.decide(changed, Tally.add(7))
    assert (12, Tally(12, 2), 0) == (reply, changed.state, changed.version)
    saved = await repository.save(changed)
    assert saved is not None
    assert saved.position == 2
    again = await repository.load("a")
    assert (Tally(12, 2), 2, saved.token) == (again.state, again.version, again.token)
    assert again.state == (await client.aggregate(Tally, "a").state()).state
    with pytest.raises(VersionConflict):
        await repository.save(changed)
    assert await repository.save(again) is None


async def test_a_repository_refuses_as_the_server_would(client: Client) -> None:
    repository = client.repository(Tally)
    with pytest.raises(Refused) as here:
        await repository.execute("a", Tally.add(-3))
    with pytest.raises(Refused) as there:
        await client.aggregate(Tally, "a").execute(Tally.add(-3))
    assert vars(here.value) == vars(there.value)
    assert (await client.info()).head == 0


async def test_writers_that_meet_decide_again_and_none_is_lost(client: Client) -> None:
    repository = client.repository(Tally)
    done = await asyncio.gather(
        *(repository.execute("a", Tally.add(1), attempts=20) for _ in range(8))
    )
    assert list(range(1, 9)) == sorted(each.reply for each in done)
    assert {each.version for each in done} == {each.position for each in done} == set(range(1, 9))
    with pytest.raises(ValueError, match="attempts"):
        await repository.execute("a", Tally.add(1), attempts=0)


async def test_a_conflict_is_reported_after_the_last_attempt(client: Client) -> None:
    repository = client.repository(Tally)
    done = await asyncio.gather(
        *(repository.execute("a", Tally.add(1), attempts=1) for _ in range(4)),
        return_exceptions=True,
    )
    lost = [each for each in done if isinstance(each, VersionConflict)]
    assert len(lost) + (await client.state("Tally", "a")).version == 4
    assert lost


async def test_a_decision_without_events_saves_nothing(client: Client) -> None:
    await client.execute("Tally", "a", "add", {"amount": 1})
    done = await client.repository(Tally).execute("a", Tally.burst(0))
    assert (done.reply, done.version, done.position, done.event_count) == (0, 1, 1, 0)
    assert done.token == (await client.info()).token
