"""A rebuild: new tables beside those that are read, and one moment in which they change places."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, event, inspect, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.projection.books import (
    POISON,
    Booked,
    Books,
    book,
    rows_by_log,
    rows_of,
    transfer,
    transfers,
)
from tests.integration.projection.watching import Commits, running

from gesta.client import Client, Event
from gesta.domain import DefinitionError
from gesta.projection import (
    CodeChanged,
    PoisonEvent,
    Projection,
    ProjectionState,
    Runner,
    TransactionLimits,
    on,
)


async def tables_in(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))


OURS = {"gesta_projections", "gesta_projection_skips"}


async def test_a_rebuild_gives_the_same_rows_and_leaves_nothing_else(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 100)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
        live = await rows_of(engine)
        for _ in range(2):  # a second one meets the names that the first one gave
            checkpoint = await runner.rebuild()
            assert (checkpoint.name, checkpoint.position) == ("books", 200)
            assert await rows_of(engine) == live == await rows_by_log(client)
        assert await tables_in(engine) == OURS | {"balances", "journal"}
        await transfer(client, 1)
        await runner.run_once()
        assert await rows_of(engine) == await rows_by_log(client)
        assert [each.name for each in await runner.statuses()] == ["books"]


async def test_a_rebuild_needs_no_tables_to_begin_with(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 10)
    async with Runner(client, Books, database) as runner:
        await runner.rebuild()
        assert (await runner.status()).state is ProjectionState.STOPPED
        await transfer(client, 1)
        await runner.run_once()
    assert await rows_of(engine) == await rows_by_log(client)


async def test_the_old_tables_are_served_and_kept_up_to_date_until_the_swap(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 200, in_a_command=10, note="x" * 1_000)
    commits = Commits()
    served = []

    async def look_and_write(checkpoint: Any) -> None:
        """Between two transactions of the rebuild: the live runner goes on, and readers read."""
        served.append(len((await rows_of(engine))[1]))
        if len(served) <= 5:
            await transfer(client, len(served))
            await commits.reach(400 + 2 * len(served))

    limits = TransactionLimits(events_max=1)
    async with (
        Runner(client, Books, database, on_commit=commits) as live,
        Runner(client, Books, database, limits=limits, on_commit=look_and_write) as other,
        running(live),
    ):
        await commits.reach(400, ProjectionState.LIVE)
        await other.rebuild()
        assert len(served) > 1
        assert served == sorted(served)
        assert served[0] == 400
        # The live one goes on with the new tables, without a word from anybody.
        for number in range(3):
            await transfer(client, number)
        await commits.reach((await client.info()).head, ProjectionState.LIVE)
        assert await rows_of(engine) == await rows_by_log(client)


async def test_readers_are_never_thrown_back_by_the_swap(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 50)
    commits = Commits()
    written = 0

    async def write_at_the_last_moment(checkpoint: Any) -> None:
        nonlocal written
        if checkpoint.position >= 100 + 2 * written and written < 3:
            written += 1
            await transfer(client, written)
            await commits.reach(100 + 2 * written)

    async with (
        Runner(client, Books, database, on_commit=commits) as live,
        Runner(client, Books, database, on_commit=write_at_the_last_moment) as other,
        running(live),
    ):
        await commits.reach(100, ProjectionState.LIVE)
        checkpoint = await other.rebuild()
        assert written == 3
        assert checkpoint.position == 106
        assert await rows_of(engine) == await rows_by_log(client)


async def test_a_rebuild_that_failed_leaves_the_old_tables_and_is_begun_anew(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await book(client, 1, POISON, 3)
    async with Runner(client, Careless, database) as before:
        await before.run_once()
    served = await rows_of(engine)
    async with Runner(client, Careful, database) as runner:
        with pytest.raises(PoisonEvent, match="thirteen") as caught:
            await runner.rebuild()
        assert (caught.value.name, caught.value.position) == ("books@rebuild", 2)
        assert await rows_of(engine) == served
        _, rebuild = await runner.statuses()
        assert (rebuild.name, rebuild.state) == ("books@rebuild", ProjectionState.FAILED)
        assert rebuild.failure is not None
        assert rebuild.failure.position == 2
        await runner.skip(2)
        await runner.rebuild()
        assert len(await runner.statuses()) == 1
    assert await tables_in(engine) == OURS | {"balances", "journal"}
    assert await rows_of(engine) == await rows_by_log(client, frozenset({2}))


class Careless(Books):
    name = "books"

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        if event.amount == POISON:
            event = Booked(0)
        await super().booked(event, recorded, connection)


class Careful(Books):
    name = "books"
    version = 2


async def test_a_swap_that_breaks_off_changes_nothing(client: Client, engine: AsyncEngine) -> None:
    await transfers(client, 10)

    def fail(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.startswith("ALTER TABLE journal"):  # the other one is renamed by then
            raise RuntimeError("the power fails")

    async with Runner(client, Books, engine) as runner:
        await runner.run_once()
        await transfers(client, 10)
        event.listen(engine.sync_engine, "before_cursor_execute", fail)
        with pytest.raises(RuntimeError, match="the power fails"):
            await runner.rebuild()
        event.remove(engine.sync_engine, "before_cursor_execute", fail)
        assert [each.position for each in await runner.statuses()] == [20, 40]
        assert len((await rows_of(engine))[1]) == 20
        await runner.run_once()
        assert await rows_of(engine) == await rows_by_log(client)
        await runner.rebuild()
    assert await tables_in(engine) == OURS | {"balances", "journal"}
    assert await rows_of(engine) == await rows_by_log(client)


class Totals(Projection):
    """The next version of Books: other tables, of which one has an old name."""

    name = "books"
    version = 2

    metadata = MetaData()
    totals = Table(
        "totals",
        metadata,
        Column("account", String(50), primary_key=True),
        Column("total", BigInteger, nullable=False),
    )

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        account, table = recorded.aggregate_id, self.totals
        old = await connection.scalar(select(table.c.total).where(table.c.account == account))
        await connection.execute(table.delete().where(table.c.account == account))
        total = (old or 0) + event.amount
        await connection.execute(table.insert().values(account=account, total=total))


async def test_newer_code_takes_over_by_a_rebuild_and_the_older_one_stops(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 20)
    commits = Commits()
    async with (
        Runner(client, Books, database, on_commit=commits) as old,
        Runner(client, Totals, database) as new,
    ):
        older = asyncio.create_task(old.run())
        await commits.reach(40, ProjectionState.LIVE)
        with pytest.raises(CodeChanged) as changed:
            await new.run_once()
        assert (changed.value.stored_version, changed.value.version) == (1, 2)
        assert "gesta project rebuild" in changed.value.next_step
        await new.rebuild()
        await transfer(client, 1)
        with pytest.raises(CodeChanged) as caught:
            await older
        assert caught.value.next_step == "run the newer code"
        await new.run_once()
    assert await tables_in(engine) == OURS | {"totals"}
    async with engine.connect() as connection:
        totals = {row[0]: row[1] for row in await connection.execute(select(Totals.totals))}
    expected, _ = await rows_by_log(client)
    assert totals == {account: balance for account, (balance, _) in expected.items()}


class Wrong(Books):
    name = "wrong"

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        await connection.execute(Wrong.journal.delete())


async def test_a_handler_that_names_the_class_s_table_is_found_before_it_spoils_the_old_ones(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 5)
    async with Runner(client, Wrong, database) as runner:
        with pytest.raises(PoisonEvent, match=r"it must say self\.journal") as caught:
            await runner.rebuild()
    assert isinstance(caught.value.__cause__, DefinitionError)
