"""What a projection promises, on every database: all events, once each, whole commands only."""

import asyncio
import contextlib

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.projection.books import (
    Booked,
    Books,
    book,
    booking,
    rows_by_log,
    rows_of,
    transfer,
    transfers,
)
from tests.integration.projection.watching import TIMEOUT_S, Commits, running

from gesta.client import Client, Event, NewEvent
from gesta.projection import (
    Checkpoint,
    ProjectionState,
    Runner,
    Superseded,
    TransactionLimits,
    on,
)
from gesta.projection.claims import claim
from gesta.projection.projection import definition_of


async def test_what_is_in_the_log_is_projected_once(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 500)
    async with Runner(client, Books, database) as runner:
        checkpoint = await runner.run_once()
        assert checkpoint.position == 1_000
        assert await rows_of(engine) == await rows_by_log(client)
        again = await runner.run_once()
        assert again.position == 1_000
    await transfers(client, 10)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
    assert await rows_of(engine) == await rows_by_log(client)


async def test_what_comes_is_projected_as_it_comes(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    commits = Commits()
    async with Runner(client, Books, database, on_commit=commits) as runner, running(runner):
        await commits.reach(0, ProjectionState.LIVE)
        for number in range(5):
            await transfer(client, number)
            await commits.reach(2 * number + 2, ProjectionState.LIVE)
            assert await rows_of(engine) == await rows_by_log(client)
    assert [each.position for each in commits.all] == [0, 2, 4, 6, 8, 10]
    assert {each.name for each in commits.all} == {"books"}


async def test_while_it_catches_up_many_batches_share_a_transaction(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await book(client, *range(100, 110))
    for _ in range(4):
        await client.append([booking("a", 1, "x" * 1_000) for _ in range(200)])
    commits = Commits()
    limits = TransactionLimits(duration_ms_max=60_000)
    async with Runner(client, Books, database, limits=limits, on_commit=commits) as runner:
        await runner.run_once()
    assert [each.position for each in commits.all] == [810]
    commits = Commits()
    limits = TransactionLimits(events_max=100)
    async with Runner(client, Books, database, limits=limits, on_commit=commits) as runner:
        await runner.rebuild()
    assert len(commits.all) >= 4
    assert await rows_of(engine) == await rows_by_log(client)


async def test_a_command_that_comes_in_several_frames_is_committed_whole(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    note = "x" * 3_000  # 21 of these fill a frame
    for number in range(6):
        pair = [booking("a", -number - 50, note), booking("b", number + 50, note)]
        await client.append(pair * 20)
    seen = []

    async def look(checkpoint: Checkpoint) -> None:
        seen.append([row[2] for row in (await rows_of(engine))[1]])

    limits = TransactionLimits(events_max=1)
    async with Runner(client, Books, database, limits=limits, on_commit=look) as runner:
        await runner.run_once()
    assert len(seen) > 2
    assert [len(amounts) for amounts in seen if len(amounts) % 40] == []
    assert {sum(amounts) for amounts in seen} == {0}
    assert await rows_of(engine) == await rows_by_log(client)


async def test_a_concurrent_reader_never_sees_half_of_a_transfer(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    seen: list[tuple[int, int]] = []
    commits = Commits()

    async def look() -> None:
        summed = select(func.count(), func.coalesce(func.sum(Books.journal.c.amount), 0))
        while True:
            async with engine.connect() as connection:
                count, total = (await connection.execute(summed)).one()
            seen.append((int(count), int(total)))

    runner = Runner(client, Books, database, on_commit=commits)
    async with runner, running(runner):
        await commits.reach(0)
        looking = asyncio.create_task(look())
        for number in range(100):
            await transfer(client, number)
        await commits.reach(200)
        looking.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await looking
    assert len({count for count, _ in seen}) > 2
    assert [count for count, _ in seen if count % 2] == []
    assert {total for _, total in seen} == {0}


async def test_events_without_a_handler_are_passed_over_and_do_not_count_as_lag(
    client: Client, database: str
) -> None:
    await book(client, 100)
    for _ in range(3):
        await client.append([NewEvent("Other", "x", "Unheard", {})])
    async with Runner(client, Books, database) as runner:
        before = await runner.status()
        assert (before.name, before.position, before.head) == ("books", 0, 4)
        assert (before.lag_events, before.state) == (4, ProjectionState.NEW)
        assert before.lag_seconds > 0
        await runner.run_once()
        after = await runner.status()
    assert (after.position, after.head, after.lag_events) == (4, 4, 0)
    assert (after.lag_seconds, after.state) == (0.0, ProjectionState.STOPPED)
    await client.append([NewEvent("Other", "x", "Unheard", {})])
    await book(client, 100)
    async with Runner(client, Books, database) as runner:
        behind = await runner.status()
    assert (behind.position, behind.head, behind.lag_events) == (4, 6, 1)


async def test_the_state_says_who_runs(client: Client, database: str) -> None:
    commits = Commits()
    async with Runner(client, Books, database, on_commit=commits) as runner:
        async with running(runner):
            await commits.reach(0, ProjectionState.LIVE)
            assert (await runner.status()).state is ProjectionState.LIVE
        assert (await runner.status()).state is ProjectionState.STOPPED


async def test_the_newest_session_writes_and_the_older_one_ends(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    first_commits, second_commits = Commits(), Commits()
    async with (
        Runner(client, Books, database, on_commit=first_commits) as first,
        Runner(client, Books, database, on_commit=second_commits) as second,
    ):
        older = asyncio.create_task(first.run())
        await first_commits.reach(0, ProjectionState.LIVE)
        async with running(second):
            await second_commits.reach(0, ProjectionState.LIVE)
            await book(client, 100, 101)
            with pytest.raises(Superseded, match="a newer session"):
                await asyncio.wait_for(older, TIMEOUT_S)
            await second_commits.reach(2)
            assert (await second.status()).state is ProjectionState.LIVE
    assert await rows_of(engine) == await rows_by_log(client)


async def test_a_session_does_not_take_back_what_a_newer_one_has(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    definition = definition_of(Books)
    first = await claim(engine, definition, "first")
    assert await claim(engine, definition, "first", again=True) == first
    await claim(engine, definition, "second")
    with pytest.raises(Superseded):
        await claim(engine, definition, "first", again=True)
    await claim(engine, definition, "first")


class Named(Books):
    name = "named"

    @on("Booked")
    async def booked(  # type: ignore[override]
        self, event: dict[str, object], recorded: Event, connection: AsyncConnection
    ) -> None:
        await super().booked(Booked(int(str(event["amount"]))), recorded, connection)


async def test_a_handler_by_stored_name_needs_no_class(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 5)
    async with Runner(client, Named, database) as runner:
        await runner.run_once()
    assert await rows_of(engine) == await rows_by_log(client)
