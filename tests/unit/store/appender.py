"""A process that appends pairs of events until it is killed, and prints each head acknowledged.

python -m tests.unit.store.appender DIRECTORY
"""

import asyncio
import sys
from pathlib import Path

from tests.contract.samples import a_command, an_event, id_v7

from gesta.store import Batch, SqliteStore, Stream


def pair(number: int, streams: list[Stream]) -> Batch:
    """The batch after `number` others: one event for each of two streams. Always the same."""
    batch = Batch(number)
    for position, stream in enumerate(streams, 2 * number + 1):
        batch.streams.append(stream)
        batch.events.append(an_event(position, stream, number + 1, commit_time_us=number))
        batch.commands.append(a_command(id_v7(0, position), position=position, count=1))
    return batch


async def main(directory: Path) -> None:
    store = SqliteStore(directory, wal_pages_max=30)
    head = (await store.open()).head
    streams = []
    for aggregate_id in ("a", "b"):
        found = await store.find_stream("BankAccount", aggregate_id)
        streams.append(found.stream if found else Stream("BankAccount", aggregate_id))
    while True:
        await store.append(pair(head // 2, streams))
        head += 2
        sys.stdout.write(f"{head}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
