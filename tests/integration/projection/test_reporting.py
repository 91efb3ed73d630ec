"""Runners report to the server, so that whoever writes can wait until the rows are there."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import BigInteger, Column, MetaData, String, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from tests.integration.edge.tally import Added, Tally
from tests.integration.projection.books import POISON, Books, book, rows_by_log, rows_of
from tests.integration.projection.watching import Commits, running

from gesta.client import Client, Event, ProjectionReport, connect
from gesta.domain.catalog import Catalog
from gesta.engine.limits import Limits
from gesta.projection import PoisonEvent, Projection, Runner, on, open_engine, upsert
from gesta.server.config import Config
from gesta.server.process import Server

LONG_S = 50.0
"""Longer than a test takes: a wait that ends has another reason."""


class Totals(Projection):
    """What every tally adds up to."""

    name = "totals"
    totals = Table(
        "totals",
        MetaData(),
        Column("tally", String(50), primary_key=True),
        Column("total", BigInteger, nullable=False),
    )

    @on(Added)
    async def added(self, event: Added, recorded: Event, connection: AsyncConnection) -> None:
        insert = upsert(connection, self.totals).values(
            tally=recorded.aggregate_id, total=event.amount
        )
        await connection.execute(
            insert.on_conflict_do_update(
                index_elements=[self.totals.c.tally],
                set_={"total": self.totals.c.total + event.amount},
            )
        )


def tallying(data: Path, listen: str = "127.0.0.1:0", silent_ms: int = 15_000) -> Server:
    limits = Limits(projection_silent_ms=silent_ms)
    return Server(Config(data=str(data), listen=listen, limits=limits), catalog=Catalog.of(Tally))


async def total_of(engine: AsyncEngine, tally: str) -> int | None:
    asked = select(Totals.totals.c.total).where(Totals.totals.c.tally == tally)
    async with engine.connect() as connection:
        return (await connection.execute(asked)).scalar_one_or_none()


async def reports(client: Client) -> dict[str, ProjectionReport]:
    return {each.name: each for each in await client.list_projections()}


async def test_who_waits_for_the_projection_reads_what_they_wrote(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'totals.db'}")
    async with tallying(tmp_path / "log") as server, connect(server.address) as client:

        async def write_and_read(name: str) -> None:
            tally = client.aggregate(Tally, name)
            for _ in range(25):
                done = await tally.execute(
                    Tally.add(3), wait_for="totals", wait_timeout_s=LONG_S, timeout_s=2 * LONG_S
                )
                assert done.pending == ()
                assert await total_of(engine, name) == done.reply

        async with Runner(client, Totals, engine) as runner, running(runner):
            await asyncio.gather(*(write_and_read(name) for name in "abcd"))
            assert (await reports(client))["totals"].lag_events == 0
    await engine.dispose()


async def test_a_runner_says_where_it_stands_before_there_is_anything_new(
    client: Client, database: str
) -> None:
    await book(client, 1, 2, 3)
    async with Runner(client, Books, database) as runner:
        await runner.run_once()
        first = (await reports(client))["books"]
        assert first.position == 3
        async with running(runner):
            while (await reports(client))["books"].session == first.session:
                pass
        again = (await reports(client))["books"]
    assert (again.position, again.session > first.session) == (3, True)


async def test_a_rebuild_reports_under_its_own_name(
    client: Client, database: str, engine: AsyncEngine
) -> None:
    await book(client, 1, 2, 3)
    async with Runner(client, Books, database) as runner:
        await runner.rebuild()
    found = await reports(client)
    assert {name: each.position for name, each in found.items()} == {"books@rebuild": 3}
    assert await rows_of(engine) == await rows_by_log(client)


async def test_one_that_stopped_at_a_poison_event_is_pending(client: Client, database: str) -> None:
    async with Runner(client, Books, database) as runner:
        position = await book(client, 1)
        await runner.run_once()
        await book(client, POISON)
        with pytest.raises(PoisonEvent):
            await runner.run_once()
    assert (await reports(client))["books"].position == position
    token = (await client.info()).token
    assert await client.wait_for_projection("books", token, timeout_s=0) == ("books",)


async def test_a_server_that_was_restarted_hears_of_its_projections_again(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite+aiosqlite:///{tmp_path / 'totals.db'}")
    commits = Commits()
    async with (
        tallying(tmp_path / "log", silent_ms=300) as server,
        connect(server.address) as client,
        Runner(client, Totals, engine, on_commit=commits) as runner,
        running(runner),
    ):
        token = (await client.execute("Tally", "a", "add", {"amount": 1})).token
        await commits.reach(1)
        await server.stop()
        async with tallying(tmp_path / "log", server.address, silent_ms=300):
            assert await client.wait_for_projection("totals", token, timeout_s=LONG_S) == ()
    await engine.dispose()
