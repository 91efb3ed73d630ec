"""A server in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.integration.edge.bulk import Bulk
from tests.integration.edge.caller import Caller, connected
from tests.integration.edge.tally import Ledger, Tally

from gesta.domain.catalog import Catalog
from gesta.engine.limits import Limits
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server
from gesta.store.port import EventStore

PATIENT = Limits(turn_wait_ms_max=60_000)
"""Whether a command is refused must not depend on how busy the machine is."""

HOSTED = Catalog.of(Tally, Ledger, Bulk)


def server_on(
    store: EventStore | None = None,
    *,
    data: str = MEMORY,
    catalog: Catalog = HOSTED,
    limits: Limits | None = None,
    listen: str = "127.0.0.1:0",
    **settings: Any,
) -> Server:
    """A server that is not started yet, on a port of its own unless one is named. `settings` are
    those of its Config."""
    config = Config(data=data, listen=listen, limits=limits or PATIENT, **settings)
    return Server(config, catalog=catalog, store=store)


@asynccontextmanager
async def serving(
    store: EventStore | None = None,
    *,
    data: str = MEMORY,
    catalog: Catalog = HOSTED,
    limits: Limits | None = None,
    **settings: Any,
) -> AsyncIterator[Caller]:
    """A started server and a caller of it."""
    async with (
        server_on(store, data=data, catalog=catalog, limits=limits, **settings) as server,
        connected(server.address) as caller,
    ):
        yield caller
