"""A checkpoint, tables or a part of the log that are gone: told, and mended by a rebuild."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.projection.books import (
    POISON,
    Booked,
    Books,
    book,
    folded,
    rows_by_log,
    rows_of,
    transfers,
)
from tests.integration.projection.watching import TIMEOUT_S
from tests.unit.store.logs import behind_the_back

from gesta.client import Client, Event, connect
from gesta.projection import (
    CheckpointLost,
    CheckpointUndone,
    CodeChanged,
    MustRebuild,
    PoisonEvent,
    ProjectionState,
    Runner,
    TablesLost,
    on,
)
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server
from gesta.store.rows import checksum


async def execute(engine: AsyncEngine, statement: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement))


async def test_rows_without_a_checkpoint_are_not_added_to(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 5)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
        before = await rows_of(engine)
        await execute(engine, "DELETE FROM gesta_projections")
        for _ in range(2):
            with pytest.raises(CheckpointLost) as caught:
                await runner.run_once()
        assert sorted(caught.value.tables) == ["balances", "journal"]
        assert await rows_of(engine) == before
        await _rebuild_as_told(runner, caught.value)
        assert await rows_of(engine) == await rows_by_log(client)


async def test_rebuilds_without_a_checkpoint_do_not_meet_what_earlier_ones_named(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 5)
    async with Runner(client, Books, database) as runner:
        await book(client, POISON)
        with pytest.raises(PoisonEvent):
            await runner.rebuild()  # leaves tables behind, and some rows in them
        await execute(engine, "DELETE FROM gesta_projections")
    async with Runner(client, WithoutPoison, database) as runner:
        for _ in range(3):
            await runner.rebuild()
            journal = [row for row in (await rows_by_log(client))[1] if row[2] != POISON]
            assert await rows_of(engine) == folded(journal)
            await execute(engine, "DELETE FROM gesta_projections")


@pytest.mark.parametrize(
    ("change", "error"),
    [("token = NULL", CheckpointLost), ("state = 'of a newer gesta'", None)],
)
async def test_a_row_of_ours_that_somebody_has_changed_doubles_nothing(
    client: Client,
    database: str,
    engine: AsyncEngine,
    change: str,
    error: type[MustRebuild] | None,
) -> None:
    await transfers(client, 5)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
        before = await rows_of(engine)
        await execute(engine, f"UPDATE gesta_projections SET {change}")
        assert (await runner.status()).state is ProjectionState.STOPPED
        if error is None:
            await runner.run_once()
        else:
            with pytest.raises(error) as caught:
                await runner.run_once()
            await _rebuild_as_told(runner, caught.value)
        assert await rows_of(engine) == before


async def test_empty_tables_without_a_checkpoint_are_a_beginning(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Books.metadata.create_all)
    await transfers(client, 5)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
    assert await rows_of(engine) == await rows_by_log(client)


async def test_a_checkpoint_without_its_tables_is_not_gone_on_with(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await transfers(client, 5)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
        await execute(engine, "DROP TABLE journal")
        for _ in range(2):
            with pytest.raises(TablesLost) as caught:
                await runner.run_once()
        assert caught.value.tables == ["journal"]
        await _rebuild_as_told(runner, caught.value)
        assert await rows_of(engine) == await rows_by_log(client)


class WithoutPoison(Books):
    name = "books"

    @on(Booked)
    async def booked(self, event: Booked, recorded: Event, connection: AsyncConnection) -> None:
        if event.amount != POISON:
            await super().booked(event, recorded, connection)


class Extended(Books):
    name = "books"

    @on("Cancelled")
    async def cancelled(
        self, event: dict[str, object], recorded: Event, connection: AsyncConnection
    ) -> None:
        pass


async def test_code_that_handles_other_events_is_noticed_though_the_version_is_the_same(
    client: Client, database: str
) -> None:
    await transfers(client, 5)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
    async with Runner(client, Extended, database) as runner:
        with pytest.raises(CodeChanged, match="tables or events changed within version 1") as error:
            await runner.run_once()
        await _rebuild_as_told(runner, error.value)
        await runner.run_once()


@pytest.mark.parametrize("fork_position", [4, 0])
async def test_a_checkpoint_from_before_a_restore_is_not_gone_on_with(
    database: str, engine: AsyncEngine, tmp_path: Path, fork_position: int
) -> None:
    config = Config(data=str(tmp_path / "log"), listen="127.0.0.1:0")
    async with Server(config) as server, connect(server.address) as client:
        await transfers(client, 5)
        async with Runner(client, Books, database) as runner:
            await runner.run_once()
    with behind_the_back(tmp_path / "log") as log:
        life = (2, fork_position)
        log.execute("INSERT INTO incarnations VALUES (?, ?, ?)", (*life, checksum(life)))
    async with (
        Server(config) as server,
        connect(server.address) as client,
        Runner(client, Books, database) as runner,
    ):
        with pytest.raises(CheckpointUndone) as caught:
            await runner.run_once()
        assert (caught.value.position, caught.value.fork_position) == (10, fork_position)
        with pytest.raises(CheckpointUndone):
            await runner.status()
        await _rebuild_as_told(runner, caught.value)
        assert await rows_of(engine) == await rows_by_log(client)


async def test_a_checkpoint_of_another_log_is_not_gone_on_with(
    client: Client, database: str, engine: AsyncEngine, tmp_path: Path
) -> None:
    await transfers(client, 10)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
    config = Config(data=str(tmp_path / "log"), listen="127.0.0.1:0")
    async with (
        Server(config) as server,
        connect(server.address) as other,
        Runner(other, Books, database) as runner,
    ):
        await transfers(other, 3)
        with pytest.raises(CheckpointUndone, match="another log") as caught:
            await runner.run_once()
        assert caught.value.fork_position is None
        await _rebuild_as_told(runner, caught.value)  # though the old one had come further
        assert await rows_of(engine) == await rows_by_log(other)


async def test_an_event_that_was_skipped_is_left_out_and_not_another_at_its_position(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await book(client, 1, POISON, 3)
    async with Runner(client, Books, database) as runner:
        with pytest.raises(PoisonEvent):
            await runner.run_once()
        await runner.skip(2)
        await runner.run_once()
    async with (
        Server(Config(data=MEMORY, listen="127.0.0.1:0")) as server,
        connect(server.address) as other,
        Runner(other, Books, database) as runner,
    ):
        await book(other, 1, 2, 3)  # as a log that was restored may go on
        await runner.rebuild()
        assert await rows_of(engine) == await rows_by_log(other)
        await book(other, POISON)
        with pytest.raises(PoisonEvent):
            await runner.run_once()
        await runner.skip(4)
        await runner.run_once()
        assert await rows_of(engine) == await rows_by_log(other, frozenset({4}))


async def _rebuild_as_told(runner: Runner, error: MustRebuild) -> None:
    assert error.next_step == "rebuild it: gesta project rebuild MODULE:CLASS"
    await asyncio.wait_for(runner.rebuild(), TIMEOUT_S)
