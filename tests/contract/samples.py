"""Events, commands and batches for tests of the stores, with plain, readable values."""

from collections.abc import Iterable

from gesta.store import Batch, CommandRecord, EventRecord, EventStore, Stream

PAGE = 1 << 20
"""A `bytes_max` that no sample reaches."""


def id_v7(time_us: int, serial: int) -> bytes:
    """A time-ordered UUID with the given time and serial number."""
    number = (time_us // 1_000) << 80 | 7 << 76 | 2 << 62 | serial
    return number.to_bytes(16, "big")


def an_event(
    position: int,
    stream: Stream,
    version: int,
    *,
    commit_time_us: int = 1_000_000,
    data: bytes = b'{"amount":1}',
    command_id: bytes | None = None,
    more_in_command: bool = False,
    metadata: bytes | None = None,
) -> EventRecord:
    return EventRecord(
        position=position,
        aggregate_type=stream.aggregate_type,
        aggregate_id=stream.aggregate_id,
        version=version,
        event_id=id_v7(commit_time_us, position),
        event_type="MoneyDeposited",
        schema_version=1,
        data=data,
        command_id=command_id or id_v7(commit_time_us, position),
        more_in_command=more_in_command,
        commit_time_us=commit_time_us,
        occurred_at_us=None,
        correlation_id=None,
        causation_id=None,
        principal="anonymous",
        traceparent=None,
        metadata=metadata,
    )


def a_command(
    command_id: bytes, *, position: int = 0, count: int = 0, commit_time_us: int = 1_000_000
) -> CommandRecord:
    return CommandRecord(
        command_id=command_id,
        fingerprint=bytes(range(16)),
        version=count,
        position=position,
        event_count=count,
        commit_time_us=commit_time_us,
        reply=b'{"balance":1}',
    )


class Author:
    """Appends to a store as the engine would: next position, next version, shared handles."""

    def __init__(self, store: EventStore, head: int = 0) -> None:
        self.store = store
        self.head = head
        self.written: list[EventRecord] = []
        self.streams: dict[tuple[str, str], Stream] = {}
        self.versions: dict[tuple[str, str], int] = {}

    def stream(self, aggregate_id: str, aggregate_type: str = "BankAccount") -> Stream:
        key = (aggregate_type, aggregate_id)
        return self.streams.setdefault(key, Stream(*key))

    def batch(
        self,
        aggregate_ids: Iterable[str],
        *,
        commit_time_us: int = 1_000_000,
        data: bytes = b'{"amount":1}',
    ) -> Batch:
        """One event for each id, each with a command of its own. Appends nothing."""
        batch = Batch(commit_time_us)
        versions = dict(self.versions)
        for position, aggregate_id in enumerate(aggregate_ids, self.head + 1):
            stream = self.stream(aggregate_id)
            key = (stream.aggregate_type, aggregate_id)
            versions[key] = versions.get(key, 0) + 1
            event = an_event(
                position, stream, versions[key], commit_time_us=commit_time_us, data=data
            )
            batch.events.append(event)
            batch.streams.append(stream)
            batch.commands.append(
                a_command(
                    event.command_id, position=position, count=1, commit_time_us=commit_time_us
                )
            )
        return batch

    async def append(self, batch: Batch) -> Batch:
        """Append a batch and take note of what then stands in the log."""
        await self.store.append(batch)
        self.written += batch.events
        self.head += len(batch.events)
        for event in batch.events:
            self.versions[event.aggregate_type, event.aggregate_id] = event.version
        return batch

    async def write(
        self,
        *aggregate_ids: str,
        commit_time_us: int = 1_000_000,
        data: bytes = b'{"amount":1}',
    ) -> Batch:
        """`batch` and `append` in one."""
        batch = self.batch(aggregate_ids, commit_time_us=commit_time_us, data=data)
        return await self.append(batch)
