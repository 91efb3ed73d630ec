"""kill -9 in the middle: the rows are those of the log, each event once, whatever was cut off."""

import asyncio
from multiprocessing.context import ForkServerContext
from random import Random

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.projection.books import Books, folded, rows_by_log, rows_of, transfers
from tests.integration.projection.killing import KILLED, Task, perform, ready_to_fork

from gesta.client import Client
from gesta.projection import ProjectionState, Runner
from gesta.server.process import Server


@pytest.fixture(scope="module")
def forks() -> ForkServerContext:
    return ready_to_fork()


async def test_ten_kills_lose_nothing_and_double_nothing(
    forks: ForkServerContext, server: Server, client: Client, database: str, engine: AsyncEngine
) -> None:
    await kill(10, Random(13), forks, server, client, database, engine)


@pytest.mark.slow
async def test_a_hundred_kills_on_each_database_lose_nothing_and_double_nothing(
    forks: ForkServerContext, server: Server, client: Client, database: str, engine: AsyncEngine
) -> None:
    await kill(100, Random(2), forks, server, client, database, engine)


async def kill(
    times: int,
    random: Random,
    forks: ForkServerContext,
    server: Server,
    client: Client,
    database: str,
    engine: AsyncEngine,
) -> None:
    """Runs and rebuilds that die anywhere; after each the tables must be the log up to their
    checkpoint. At the end one that does not die."""
    kills = tries = 0
    reached = set()
    async with Runner(client, Books, database) as runner:
        while kills < times:
            status = await runner.status()
            if status.lag_events == 0:  # more, in frames of about fifty events
                await transfers(client, 150, in_a_command=3, note="x" * 1_200)
                expected = await rows_by_log(client)
            task = Task.drawn(random, tries, server.address, database)
            tries += 1
            code = await asyncio.to_thread(perform, forks, task)
            assert code in (0, KILLED)
            kills += code == KILLED
            status = await runner.status()
            if status.state is not ProjectionState.NEW:
                rows = await rows_of(engine)
                assert rows == folded([row for row in expected[1] if row[0] <= status.position])
                reached.add(status.position)
        assert len(reached) > times / 4
        await runner.run_once()
        assert await rows_of(engine) == expected
        await runner.rebuild()
        assert await rows_of(engine) == expected
