"""What stops a projection: an event that cannot be projected, or its database."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.projection.books import (
    POISON,
    SPOILT,
    Booked,
    Books,
    book,
    booking,
    rows_by_log,
    rows_of,
    transfers,
)

from gesta.client import Client, Event, NewEvent
from gesta.domain import event
from gesta.projection import (
    BadDatabase,
    DatabaseFailed,
    NothingToSkip,
    NotProjected,
    PoisonEvent,
    ProjectionState,
    Runner,
    on,
    reading,
)
from gesta.projection.checkpoints import SKIPS


@pytest.mark.parametrize("amount", [POISON, SPOILT])
async def test_a_poison_event_stops_it_and_is_on_record(
    client: Client, database: str, engine: AsyncEngine, amount: int
) -> None:
    for _ in range(3):  # frames of their own
        await client.append([booking("a", 1, "x" * 1_000) for _ in range(100)])
    await client.append([booking("a", 1), booking("b", amount), booking("c", 2)])
    await book(client, 5)
    async with Runner(client, Books, database) as runner:
        for _ in range(2):  # running again is trying again
            with pytest.raises(PoisonEvent) as caught:
                await runner.run_once()
            poison = caught.value
            assert (poison.name, poison.position, poison.alone) == ("books", 302, True)
            assert poison.event == "Booked of Account/b, version 1"
            assert isinstance(poison.__cause__, ValueError)
            assert poison.error == f"ValueError: {'thirteen' if amount == POISON else 'seventeen'}"
            assert "--position 302" in poison.next_step
            status = await runner.status()
            assert status.state is ProjectionState.FAILED
            assert status.failure is not None
            assert status.failure.position == 302
            assert status.failure.error == poison.error
            # All batches before its own are projected, and nothing of its own.
            assert len((await rows_of(engine))[1]) == status.position == 200


async def test_a_skipped_event_is_left_out_on_record_and_stays_so(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    last = await book(client, 1, POISON, 3, POISON)
    async with Runner(client, Books, database) as runner:
        for position in (2, 4):
            with pytest.raises(NothingToSkip) as nothing:
                await runner.skip(position)
            assert nothing.value.failed_position is None
            with pytest.raises(PoisonEvent):
                await runner.run_once()
            with pytest.raises(NothingToSkip) as other:
                await runner.skip(3)
            assert other.value.failed_position == position
            await runner.skip(position)
            assert (await runner.status()).state is ProjectionState.STOPPED
        assert (await runner.run_once()).position == last
        expected = await rows_by_log(client, frozenset({2, 4}))
        assert await rows_of(engine) == expected
        await runner.rebuild()
        assert await rows_of(engine) == expected
    async with engine.connect() as connection:
        skips = (await connection.execute(select(SKIPS).order_by(SKIPS.c.position))).all()
    assert [(row.name, row.version, row.position) for row in skips] == [
        ("books", 1, 2),
        ("books", 1, 4),
    ]
    assert {row.event for row in skips} == {
        "Booked of Account/a, version 2",
        "Booked of Account/a, version 4",
    }
    assert {row.error for row in skips} == {"ValueError: thirteen"}


class Mended(Books):
    name = "books"

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        await super().booked(Booked(event.amount + 100), recorded, connection)


async def _commit(connection: AsyncConnection) -> None:
    await connection.commit()


async def _roll_back(connection: AsyncConnection) -> None:
    await connection.rollback()


async def _exit(connection: AsyncConnection) -> None:
    sys.exit()


async def _cancel(connection: AsyncConnection) -> None:
    raise asyncio.CancelledError


@pytest.mark.parametrize(
    ("does", "error"),
    [
        (_commit, "DefinitionError: "),
        (_roll_back, "DefinitionError: "),
        (_exit, "SystemExit"),
        (_cancel, "CancelledError"),
    ],
)
@pytest.mark.parametrize("in_flush", [False, True])
async def test_a_handler_that_would_end_the_transaction_or_the_run_is_stopped_like_any_other(
    client: Client,
    database: str,
    engine: AsyncEngine,
    does: Callable[[AsyncConnection], Awaitable[None]],
    error: str,
    in_flush: bool,
) -> None:
    class Ending(Books):
        name = "books"

        @on(Booked)
        async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
            await super().booked(event, recorded, connection)
            if event.amount == POISON + 1 and not in_flush:
                await does(connection)

        async def flush(self, connection: AsyncConnection) -> None:
            await super().flush(connection)
            if in_flush and any(row["amount"] == POISON + 1 for row in self._rows):
                await does(connection)

    await book(client, 1, 2)
    async with Runner(client, Ending, database) as runner:
        await runner.run_once()
        before = await rows_of(engine)
        await client.append([booking("a", 5), booking("a", POISON + 1), booking("a", 6)])
        with pytest.raises(PoisonEvent) as caught:
            await runner.run_once()
        assert caught.value.position == 4
        assert caught.value.error.startswith(error)
        assert await rows_of(engine) == before


async def test_mended_code_goes_on_where_it_stopped(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await book(client, 1, POISON, 3)
    async with Runner(client, Books, database) as runner:
        with pytest.raises(PoisonEvent):
            await runner.run_once()
    async with Runner(client, Mended, database) as runner:
        await runner.run_once()
        status = await runner.status()
        assert (status.state, status.failure) == (ProjectionState.STOPPED, None)
    assert len((await rows_of(engine))[1]) == 3


@event("Booked", version=2)
class BookedAnew:
    amount: int


class Newer(Books):
    name = "newer"

    @on(BookedAnew)
    async def booked(  # type: ignore[override]
        self, event: BookedAnew, recorded: Event, connection: AsyncConnection
    ) -> None:
        raise AssertionError("there are none")


async def test_an_event_of_another_schema_version_is_not_guessed_at(
    client: Client, database: str
) -> None:
    await book(client, 1)
    async with Runner(client, Newer, database) as runner:
        with pytest.raises(PoisonEvent, match="UnknownEvent"):
            await runner.run_once()


async def test_an_event_that_does_not_fit_its_class_is_poison(
    client: Client, database: str
) -> None:
    await client.append([NewEvent("Account", "a", "Booked", {"amount": "much"})])
    async with Runner(client, Books, database) as runner:
        with pytest.raises(PoisonEvent, match="UndecodableEvent"):
            await runner.run_once()


class Clumsy(Books):
    name = "clumsy"

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        await connection.execute(text("SELECT 1 FROM nowhere"))


async def test_wrong_sql_is_the_code_s_fault_and_not_the_database_s(
    client: Client, database: str
) -> None:
    await book(client, 1)
    async with Runner(client, Clumsy, database) as runner:
        with pytest.raises(PoisonEvent, match="nowhere"):
            await runner.run_once()


async def test_what_a_failing_reporter_raises_ends_it_after_the_commit(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 5)

    async def fail(checkpoint: object) -> None:
        raise RuntimeError("nobody listens")

    async with Runner(client, Books, database, on_commit=fail) as runner:
        with pytest.raises(RuntimeError, match="nobody listens"):
            await runner.run_once()
    assert await rows_of(engine) == await rows_by_log(client)


async def test_a_database_that_is_not_there_is_not_an_event_s_fault(client: Client) -> None:
    for database in (
        "sqlite+aiosqlite:////nowhere/at/all.db",
        "postgresql+asyncpg://nobody@127.0.0.1:1/nothing",
    ):
        async with Runner(client, Books, database) as runner:
            with pytest.raises(DatabaseFailed, match="nothing is lost or doubled"):
                await runner.run_once()
    for database in ("", "what://ever", "sqlite+pysqlite:///x.db", "://"):
        with pytest.raises(BadDatabase):
            Runner(client, Books, database)


async def test_asking_makes_no_database(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "none.db"
    async with Runner(client, Books, str(path)) as runner:
        assert (await runner.status()).state is ProjectionState.NEW
        with pytest.raises(NothingToSkip):
            await runner.skip(1)
    assert not path.exists()


async def test_tables_that_are_not_there_cannot_be_read(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    with pytest.raises(NotProjected, match="there is no"):
        async with reading(engine, Books):
            pass
    await book(client, 5)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
    async with reading(engine, Books) as connection:
        assert (await connection.execute(select(Books.journal))).all() == [(1, "a", 5)]
