"""Writes the golden log of format 1 and what must be read from it, for ever.

    python -m tests.golden.write_log DIRECTORY

The files beside this script were written once, with the first release of the format, and are not
to be written again: a change that makes them unreadable, or read differently, is a broken promise.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from gesta.store import (
    Batch,
    CommandRecord,
    EventRecord,
    EventStore,
    LogInfo,
    SqliteStore,
    Stream,
)
from gesta.store.sqlite import FILE, LOCK_FILE

LOG_FILE = "log-format-1.sqlite3"
LINES_FILE = "log-format-1.jsonl"
LOG_ID = bytes.fromhex("67657374610000000000000000000001")
CREATED_US = 1_764_000_000_000_000

# One of each width that the checksum's encoding knows, and text beyond ASCII.
PAYLOADS = [
    b"{}",
    b'{"amount":1}',
    '{"name":"Zoë 🧀"}'.encode(),
    b'{"note":"' + b"n" * 300 + b'"}',
    b'{"note":"' + b"n" * 70_000 + b'"}',
]
IDS = ["acc-1", "käse 🧀", "i" * 40, "j" * 300]


def batches() -> Iterator[Batch]:
    """Seven commits: 42 events of four streams under two types, and one command without any."""
    streams = [Stream("BankAccount" if n else "Order", each) for n, each in enumerate(IDS)]
    position = 0
    for commit in range(6):
        batch = Batch(CREATED_US + commit * 1_000_000)
        for at in range(7):
            position += 1
            stream = streams[at % 4]
            batch.streams.append(stream)
            version = commit * (2 if at % 4 < 3 else 1) + at // 4 + 1
            batch.events.append(_event(batch, position, stream, version, at))
        batch.commands.extend(_commands(batch, position))
        yield batch
    quiet = CommandRecord(b"\xfe" * 16, bytes(16), 0, position, 0, CREATED_US + 9_000_000, b"null")
    yield Batch(CREATED_US + 9_000_000, commands=[quiet])


def _event(batch: Batch, position: int, stream: Stream, version: int, at: int) -> EventRecord:
    is_full = position % 3 == 0
    return EventRecord(
        position=position,
        aggregate_type=stream.aggregate_type,
        aggregate_id=stream.aggregate_id,
        version=version,
        event_id=_id(position),
        event_type=("MoneyDeposited", "Umbenannt-ü")[position % 2],
        schema_version=(1, 200, 70_000)[position % 3],
        data=PAYLOADS[4] if position == 20 else PAYLOADS[position % 4],
        command_id=_id(1_000 + batch.commit_time_us // 1_000_000 % 1_000),
        more_in_command=at < 6,
        commit_time_us=batch.commit_time_us,
        occurred_at_us=(-1, -(2**40), 0, 2**62)[position % 4] if is_full else None,
        correlation_id="order-7" if is_full else None,
        causation_id="" if is_full else None,
        principal=("anonymous", "zoë")[position % 2],
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" if is_full else None,
        metadata=b'{"user_id":"u-1"}' if is_full else None,
    )


def _commands(batch: Batch, position: int) -> Iterator[CommandRecord]:
    command_id = batch.events[0].command_id
    reply = b'{"balance":' + str(position).encode() + b"}"
    yield CommandRecord(command_id, b"f" * 16, 2, position, 7, batch.commit_time_us, reply)


def _id(serial: int) -> bytes:
    return ((CREATED_US // 1_000) << 80 | 7 << 76 | 2 << 62 | serial).to_bytes(16, "big")


async def lines(store: EventStore, info: LogInfo) -> list[str]:
    """Everything in an open log, one JSON object a line; bytes as hexadecimal digits."""
    found: list[tuple[str, dict[str, object]]] = [
        ("log", {"log_id": info.log_id, "incarnations": info.incarnations, "head": info.head})
    ]
    events = await store.read_log(0, info.head, info.head, 1 << 30)
    found += [("event", event._asdict()) for event in events]
    for command_id in reversed(await store.command_ids_between(b"", b"\xff" * 17, 1_000)):
        command = await store.find_command(command_id)
        assert command is not None
        found.append(("command", command._asdict()))
    return [json.dumps({kind: fields}, default=bytes.hex) for kind, fields in found]


async def write(directory: Path) -> None:
    """Make both files in an empty directory."""
    store = SqliteStore(directory, now_us=lambda: CREATED_US, new_log_id=lambda: LOG_ID)
    info = await store.open()
    for batch in batches():
        await store.append(batch)
    head = sum(len(batch.events) for batch in batches())
    written = await lines(store, LogInfo(info.log_id, info.incarnations, 1, head, 0))
    await store.close()
    _name_files(directory, written)


def _name_files(directory: Path, written: list[str]) -> None:
    (directory / FILE).rename(directory / LOG_FILE)
    (directory / LOCK_FILE).unlink()
    (directory / LINES_FILE).write_text("\n".join(written) + "\n")


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1])))
