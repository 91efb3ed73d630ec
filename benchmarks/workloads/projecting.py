"""A projection that catches up into SQLite, or a reader that does nothing with what it reads."""

import time
from pathlib import Path

from examples.bank import Accounts
from examples.bank.statement import Statements

from gesta.client import Client, Event, connect
from gesta.projection import Projection, Runner

PROJECTIONS: dict[str, type[Projection]] = {each.name: each for each in (Accounts, Statements)}


async def measure(address: str, events: int, data: str, projection: str | None) -> dict[str, float]:
    """Events per second: into a database that is made for it, rows and checkpoints committed; or,
    without a projection, not decoded, to a handler that does nothing."""
    async with connect(address) as client:
        begun = time.perf_counter()
        if projection is None:
            await _read(client, events)
        else:
            await _project(client, events, PROJECTIONS[projection], Path(data))
        return {"per_second": events / (time.perf_counter() - begun)}


async def _read(client: Client, events: int) -> None:
    seen = 0
    async with client.subscribe() as subscription:
        async for batch in subscription.batches():
            for event in batch.events:
                await _nothing(event)
            seen += len(batch.events)
            if seen >= events:
                break
    assert seen == events


async def _nothing(event: Event) -> None:
    pass


async def _project(client: Client, events: int, projection: type[Projection], folder: Path) -> None:
    async with Runner(client, projection, str(folder / f"{projection.name}.db")) as runner:
        checkpoint = await runner.run_once()
    assert checkpoint.position == events
