"""A running engine for each test: over memory, or over memory and SQLite in turn."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from tests.unit.engine.harness import Running, Start
from tests.unit.engine.held_store import HeldStore
from tests.unit.engine.tally import TALLIES

from gesta.domain.catalog import Catalog
from gesta.engine.limits import Limits
from gesta.store.memory import MemoryStore
from gesta.store.port import EventStore
from gesta.store.sqlite import SqliteStore


async def _started(
    stack: AsyncExitStack, inner: EventStore, limits: Limits | None, catalog: Catalog
) -> Running:
    run = Running(HeldStore(inner), limits or Limits(), catalog)
    await run.start()
    stack.push_async_callback(run.stop)
    return run


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Starts an engine over memory with the limits given; stopped and checked after the test."""
    async with AsyncExitStack() as stack:

        async def begin(limits: Limits | None = None, catalog: Catalog = TALLIES) -> Running:
            return await _started(stack, MemoryStore(), limits, catalog)

        yield begin


@pytest.fixture(params=["memory", "sqlite"])
async def run(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Running]:
    """An engine with the usual limits, over each store. "a", "b" and "c" are loaded."""
    store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "data")
    async with AsyncExitStack() as stack:
        running = await _started(stack, store, None, TALLIES)
        await running.warm("a", "b", "c")
        yield running
