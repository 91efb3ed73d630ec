"""Builds large logs through the store's own appends, and keeps them from run to run.

Every account has the same number of events: it is opened, then paid into. They are written in
turns, so that an account's events lie far apart, as they do in a log that grew over years.
"""

import asyncio
import logging
import shutil
import time
from pathlib import Path

from benchmarks.bank import DEPOSITED, OPENED
from gesta.store import Batch, CommandRecord, EventRecord, SqliteStore, Stream
from gesta.store.event_index import index_up_to
from gesta.store.event_index_sqlite import SqliteEventIndex

COMMIT_EVENTS = 4_096
AMOUNT = 5
KEPT_S = 3 * 86_400
"""An older log is built anew: the server forgets command ids after a week, and forgetting ten
million would be measured."""


def measure(data: str, events: int, aggregates: int) -> dict[str, float]:
    """Builds it, unless it is there already; seconds it took and bytes of the log's file."""
    folder = Path(data)
    begun = time.perf_counter()
    if not _kept(folder):
        logging.disable(logging.WARNING)  # of SQLite's version; this is not the place
        shutil.rmtree(folder, ignore_errors=True)
        asyncio.run(_build(folder, events, aggregates))
        (folder / "built").touch()
    size = (folder / "log.sqlite3").stat().st_size
    return {"seconds": time.perf_counter() - begun, "log_bytes": size}


def account(number: int) -> str:
    return f"account-{number}"


def _kept(folder: Path) -> bool:
    mark = folder / "built"
    return mark.exists() and time.time() - mark.stat().st_mtime < KEPT_S


async def _build(folder: Path, events: int, aggregates: int) -> None:
    store, index = SqliteStore(folder), SqliteEventIndex(folder)
    try:
        log = await store.open()
        await index.open(log, store)
        streams = [Stream("BankAccount", account(n)) for n in range(aggregates)]
        begun_us = int(1e6 * time.time()) - 3_600_000_000
        for first in range(0, events, COMMIT_EVENTS):
            last = min(first + COMMIT_EVENTS, events)
            await store.append(_batch(first, last, streams, begun_us + first))
        await index_up_to(index, store, events)
    finally:
        await index.close()
        await store.close()


def _batch(first: int, last: int, streams: list[Stream], time_us: int) -> Batch:
    """The events from the first on, before the last, counted from 0."""
    batch = Batch(time_us)
    for n in range(first, last):
        version, stream = 1 + n // len(streams), streams[n % len(streams)]
        kind = OPENED if version == 1 else DEPOSITED
        data = kind.write(stream.aggregate_id, AMOUNT).data
        id_ = (time_us // 1_000 << 80 | 7 << 76 | 2 << 62 | n).to_bytes(16, "big")
        fields = (
            *(n + 1, stream.aggregate_type, stream.aggregate_id, version, id_),
            *(kind.event_type, 1, data, id_, False, time_us),
            *(None, None, None, "anonymous", None, None),
        )
        batch.events.append(EventRecord._make(fields))
        batch.streams.append(stream)
        reply = b'{"balance":%d}' % (AMOUNT * version)
        batch.commands.append(CommandRecord(id_, bytes(16), version, n + 1, 1, time_us, reply))
    return batch
