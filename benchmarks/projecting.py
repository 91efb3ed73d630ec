"""How fast a projection catches up into SQLite, against a subscriber that does nothing with it.

    python -m benchmarks.projecting [--events N] [--rounds N]

The server is a process of its own; this one reads. The reference hands every event, not decoded, to
a handler that does nothing. Each round projects the whole log into a new database, and prints
medians and their ratios from the same run.
"""

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from examples.bank import Accounts
from examples.bank.statement import Statements
from rich.console import Console
from rich.table import Table

from benchmarks.processes import SAID, running
from gesta.client import Client, Event, connect
from gesta.projection import Projection, Runner
from gesta.store import SqliteStore
from gesta.store.port import Batch, EventRecord, Stream

GOAL = 0.5
"""Of the rate of the reference."""
ACCOUNTS = 1_000
_BATCH = 1_000
_REFERENCE = "a handler that does nothing"
_KINDS = ("MoneyDeposited", "MoneyWithdrawn")
_PROJECTIONS: tuple[type[Projection], ...] = (Accounts, Statements)


async def write(data: Path, events: int) -> None:
    """A log of commands with one event each, spread over the accounts."""
    store = SqliteStore(data)
    await store.open()
    streams = [Stream("BankAccount", f"account-{number}") for number in range(ACCOUNTS)]
    for first in range(0, events, _BATCH):
        batch = Batch(first)
        for number in range(first, min(first + _BATCH, events)):
            stream = streams[number % ACCOUNTS]
            batch.streams.append(stream)
            batch.events.append(_record(stream, number))
        await store.append(batch)
    await store.close()


def _record(stream: Stream, number: int) -> EventRecord:
    earlier = number // ACCOUNTS
    kind = _KINDS[number % 2]
    data = b'{"amount":%d,"booked_on":"1998-%02d-%02d"}' % (
        *(100 + number % 9_900, 1 + earlier % 12, 1 + earlier % 28),
    )
    if earlier == 0:
        kind = "AccountOpened"
        data = b'{"initial_deposit":100000,"overdraft_limit":0,"booked_on":"1998-01-01"}'
    return EventRecord(
        number + 1,
        stream.aggregate_type,
        stream.aggregate_id,
        earlier + 1,
        os.urandom(16),
        kind,
        1,
        data,
        os.urandom(16),
        False,
        number,
        None,
        None,
        None,
        "anonymous",
        None,
        None,
    )


async def read(client: Client, events: int) -> float:
    """Events a second into a handler that does nothing."""
    seen = 0
    begun = time.perf_counter()
    async with client.subscribe() as subscription:
        async for batch in subscription.batches():
            for event in batch.events:
                await _nothing(event)
            seen += len(batch.events)
            if seen >= events:
                break
    assert seen == events
    return events / (time.perf_counter() - begun)


async def _nothing(event: Event) -> None:
    pass


async def project(client: Client, events: int, projection: type[Projection], file: Path) -> float:
    """Events a second into a database that is made for it, rows and checkpoints committed."""
    begun = time.perf_counter()
    async with Runner(client, projection, str(file)) as runner:
        checkpoint = await runner.run_once()
    assert checkpoint.position == events
    return events / (time.perf_counter() - begun)


async def measure(folder: Path, events: int, rounds: int) -> dict[str, list[float]]:
    """Rates, round by round."""
    data = folder / "log"
    data.mkdir()
    await write(data, events)
    rates: dict[str, list[float]] = {}
    serving = ("gesta.server", "serve", "examples.bank", "--listen", "127.0.0.1:0", "--data")
    SAID.parent.mkdir(exist_ok=True)
    async with running(*serving, str(data)) as server, connect(server.address) as client:
        for number in range(rounds):
            rates.setdefault(_REFERENCE, []).append(await read(client, events))
            for projection in _PROJECTIONS:
                name = projection.name
                file = folder / f"{name}-{number}.db"
                rates.setdefault(name, []).append(await project(client, events, projection, file))
    return rates


def table(rates: dict[str, list[float]]) -> Table:
    """The figures as people read them."""
    shown = Table(title="catch-up into SQLite")
    for column in ("", "events/s", "spread", "ratio", "goal"):
        shown.add_column(column, justify="right" if column else "left")
    reference = statistics.median(rates[_REFERENCE])
    for name, values in rates.items():
        median = statistics.median(values)
        spread = f"{min(values):,.0f}-{max(values):,.0f}"
        compared = ("", "") if name == _REFERENCE else (f"{median / reference:.2f}", f"{GOAL:.2f}")
        shown.add_row(name, f"{median:,.0f}", spread, *compared)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.projecting", description=__doc__)
    parser.add_argument("--events", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = asyncio.run(measure(Path(folder), options.events, options.rounds))
    Console().print(table(rates))


if __name__ == "__main__":
    main()
