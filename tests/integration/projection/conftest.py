"""A server that takes any event, and a new database for each test: SQLite and PostgreSQL."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from tests.integration.projection.postgresql import Unavailable, postgresql

from gesta.client import Client, connect
from gesta.projection import open_engine
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    async with Server(Config(data=MEMORY, listen="127.0.0.1:0")) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with connect(server.address) as opened:
        yield opened


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[str]:
    try:
        with postgresql() as url:
            yield url
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of an empty database."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path / 'read-model.db'}"
        return
    server_url = request.getfixturevalue("postgresql_server")
    name = f"test_{uuid4().hex}"
    admin = create_async_engine(f"{server_url}/postgres", isolation_level="AUTOCOMMIT")
    async with admin.connect() as connection:
        await connection.execute(text(f"CREATE DATABASE {name}"))
    await admin.dispose()
    yield f"{server_url}/{name}"


@pytest.fixture
async def engine(database: str) -> AsyncIterator[AsyncEngine]:
    """For looking at what was projected."""
    opened = open_engine(database)
    yield opened
    await opened.dispose()
