"""Every contract test runs over every implementation of the store port."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.contract.samples import Author

from gesta.store import EventStore, MemoryStore
from gesta.store.sqlite import SqliteStore


def new_store(kind: str, directory: Path) -> EventStore:
    return MemoryStore() if kind == "memory" else SqliteStore(directory)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[EventStore]:
    """A store that has been opened, on an empty log."""
    opened = new_store(request.param, tmp_path / "data")
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
def author(store: EventStore) -> Author:
    return Author(store)
