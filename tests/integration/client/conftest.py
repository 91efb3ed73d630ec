from collections.abc import AsyncIterator

import pytest
from tests.integration.edge.tally import Ledger, Tally

from gesta.client import Client, connect
from gesta.domain.catalog import Catalog
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    config = Config(data=MEMORY, listen="127.0.0.1:0")
    async with Server(config, catalog=Catalog.of(Tally, Ledger)) as running:
        yield running


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Client]:
    async with connect(server.address) as opened:
        yield opened
