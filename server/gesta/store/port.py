"""The port every event store implements, and the records that cross it.

A store keeps one log. It assigns nothing that the engine decides (versions, positions, times,
event ids) and hides everything the engine need not know (integer ids of streams and names).
The same contract tests run over every implementation: `tests/contract/`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256 as _sha256
from typing import Any, NamedTuple, Protocol, Self, TypeVar
from zlib import crc32 as _crc32

from msgspec.msgpack import Encoder as _Encoder

SLICES = 1024
"""Every stream belongs to one of so many slices: the first two bytes of SHA-256(type, NUL, id)
mod 1024. Stored per stream from the first day, so that a log can be split later."""

_encode = _Encoder().encode

T = TypeVar("T")


class EventRecord(NamedTuple):
    """One event as it stands in the log. Times are microseconds since 1970 UTC.

    A tuple, because pages of hundreds are made per read and a tuple is what SQLite hands over.
    """

    position: int
    """1-based, gapless, in commit order."""
    aggregate_type: str
    aggregate_id: str
    version: int
    """1-based and contiguous per aggregate."""
    event_id: bytes
    """16 bytes, a time-ordered UUID (version 7)."""
    event_type: str
    schema_version: int
    data: bytes
    """The payload: UTF-8 JSON, never parsed by a store."""
    command_id: bytes
    """16 bytes. Every event of one command, or of one direct append, carries the same."""
    more_in_command: bool
    """True for every event of a command but its last."""
    commit_time_us: int
    occurred_at_us: int | None
    correlation_id: str | None
    """None: the command started its own correlation, named like its command id."""
    causation_id: str | None
    principal: str
    traceparent: str | None
    metadata: bytes | None
    """A flat JSON object of strings, or None when there is none."""


class EventColumns(NamedTuple):
    """Consecutive events of the log, one at least, field by field: for what is made of many in a
    few calls. Each column has one value for each event; they stand as the fields of a record do."""

    position: Sequence[int]
    aggregate_type: Sequence[str]
    aggregate_id: Sequence[str]
    version: Sequence[int]
    event_id: Sequence[bytes]
    event_type: Sequence[str]
    schema_version: Sequence[int]
    data: Sequence[bytes]
    command_id: Sequence[bytes]
    more_in_command: Sequence[bool]
    commit_time_us: Sequence[int]
    occurred_at_us: Sequence[int | None]
    correlation_id: Sequence[str | None]
    causation_id: Sequence[str | None]
    principal: Sequence[str]
    traceparent: Sequence[str | None]
    metadata: Sequence[bytes | None]

    @classmethod
    def of(cls, events: Sequence[EventRecord]) -> Self:
        return cls(*zip(*events, strict=True))

    def events(self) -> list[EventRecord]:
        return list(map(_make_event, zip(*self, strict=True)))


_make_event = partial(tuple.__new__, EventRecord)  # a third of the time that calling it takes


@dataclass(slots=True, eq=False)
class Stream:
    """A handle on one aggregate's stream, shared between the engine and the store.

    `number` is the store's own integer id: None until the stream's first event is committed. Only
    a store sets it, and only after COMMIT, so that a failed batch leaves nothing to take back.
    """

    aggregate_type: str
    aggregate_id: str
    number: int | None = None


FEW_EVENTS_BYTES = 1_048_576
"""Bytes of data and metadata of a stream that comes whole when it is looked for."""


class StreamHead(NamedTuple):
    """A stream that exists, and the version of its last event."""

    stream: Stream
    version: int
    events: list[EventRecord] | None = None
    """All its events, where they were asked for and are few."""


class CommandRecord(NamedTuple):
    """The remembered answer to an accepted command, stored in the transaction of its events."""

    command_id: bytes
    """16 bytes; unique in the log."""
    fingerprint: bytes
    """16 bytes over what was asked; the same id with another fingerprint is another command."""
    version: int
    """The aggregate's version after it; 0 for an append over several streams."""
    position: int
    """The position of its last event; without events, of the last event before it."""
    event_count: int
    commit_time_us: int
    reply: bytes
    """JSON; empty for a direct append."""


@dataclass(slots=True)
class Batch:
    """What one transaction writes: all of it or none.

    `streams[i]` is the handle of `events[i]`. Positions continue the log's head without a gap. A
    version is one more than the stream's last, counting the events before it in this batch.
    """

    commit_time_us: int
    events: list[EventRecord] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    commands: list[CommandRecord] = field(default_factory=list)


class Incarnation(NamedTuple):
    """One life of the log. A restore starts the next one, which forks off after a position."""

    number: int
    """1-based."""
    fork_position: int
    """The last position this incarnation shares with the one before; 0 for the first."""


@dataclass(frozen=True, slots=True)
class LogInfo:
    """What a store found, and made durable, when it was opened."""

    log_id: bytes
    """16 bytes, drawn when the log was created."""
    incarnations: tuple[Incarnation, ...]
    """Oldest first, never empty; the last one is being written."""
    epoch: int
    """One more at every start."""
    head: int
    """The last position; 0 for an empty log."""
    last_commit_time_us: int
    """Of the event or command committed last; 0 for an empty log."""


class StoreError(Exception):
    """Base of all a store raises; the tree is drawn in the package docstring."""


class StorageFull(StoreError):
    """No room: the batch was rolled back cleanly, nothing of it is written, and the store works on.

    The same append may succeed once there is room. Reads are not affected.
    """


class StorageFailed(StoreError):
    """The store cannot say what is on the disk: the outcome of a batch under way is unknown.

    Raised by the append that met the failure and by every call after it, reads too. Only opening
    the log anew, in a new process, resolves it.
    """


class CorruptLog(StoreError):
    """Stored bytes do not match their checksum, or a position or version is missing.

    `position` is the event's, or None where the damage is not in an event.
    """

    def __init__(self, detail: str, position: int | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.position = position


class LogLocked(StoreError):
    """Another server holds this log. `holder` says who, as far as it is known."""

    def __init__(self, path: str, holder: str) -> None:
        super().__init__(f"{path} is held by another server: {holder}")
        self.path = path
        self.holder = holder


class NotALog(StoreError):
    """Not a gesta log, or truncated, or written by a newer gesta. The file is left untouched."""


class EventStore(Protocol):
    """One durable, append-only log.

    `open` comes first and once, `close` last. One `append` at a time: a second one before the first
    has returned is a bug of the caller, and refused with AssertionError. Reads may run beside it,
    any number at once, and see only what is committed. Every read checks every checksum it meets
    and raises CorruptLog rather than return a doubtful row.
    """

    async def open(self) -> LogInfo:
        """Recover and seal the log, start a new epoch, and say what was found.

        Returns only when everything readable is on the disk for certain. Raises LogLocked (within a
        second), NotALog, CorruptLog or StorageFailed; then nothing needs closing.
        """

    async def append(self, batch: Batch) -> None:
        """Write the batch in one transaction and return when it is durable.

        Sets `number` on streams that are new. Raises StorageFull (nothing written, carry on) or
        StorageFailed (unknown, stop). A batch that breaks an invariant (position not the next,
        version taken, command id stored already) is a bug: StorageFailed too, with nothing written.
        """

    async def read_log(
        self,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
    ) -> list[EventRecord]:
        """Events with after < position <= until, ascending: at most `limit`, at most `bytes_max` of
        data and metadata (but one event at least where there is one)."""

    async def read_log_columns(
        self,
        after: int,
        until: int,
        limit: int,
        bytes_max: int,
        make: Callable[[EventColumns], T],
    ) -> list[T]:
        """What `make` makes of the same events, some hundred at a time and in their order.

        It is called on the thread that reads, so it depends on nothing that others change. What it
        raises is raised here.
        """

    async def read_log_backwards(
        self, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        """Events with position < before, descending, limited as in `read_log`."""

    async def read_stream(
        self,
        stream: Stream,
        after: int,
        limit: int,
        bytes_max: int,
    ) -> list[EventRecord]:
        """Events of one stream with version > after, ascending, limited as in `read_log`.

        Empty for a stream without a number.
        """

    async def read_stream_backwards(
        self, stream: Stream, before: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        """Events of one stream with version < before, descending, limited as in `read_log`."""

    async def read_positions(
        self, positions: Sequence[int], bytes_max: int | None = None
    ) -> list[EventRecord]:
        """The events at these positions, in their order, and as in `read_log` no more than
        `bytes_max` of data and metadata, if it is given. CorruptLog if there is none at one."""

    async def find_stream(
        self, aggregate_type: str, aggregate_id: str, events_max: int = 0
    ) -> StreamHead | None:
        """The stream and its last version, or None when no event of it was ever committed.

        With all its events, if there are no more than `events_max` of them and no more than
        FEW_EVENTS_BYTES of data and metadata: to ask for them by themselves costs as much again.
        """

    async def list_streams(
        self, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        """Streams of one type whose id starts with the prefix and is greater than `after_id` (in
        the order of their UTF-8 bytes), ascending."""

    async def find_command(self, command_id: bytes) -> CommandRecord | None:
        """The remembered answer, or None. CorruptLog when this one is damaged."""

    async def command_ids_between(self, low: bytes, high: bytes, limit: int) -> list[bytes]:
        """The greatest `limit` stored command ids with low <= id < high, in descending order.

        Those of damaged answers are among them: `find_command` tells.
        """

    async def position_at(self, commit_time_us: int) -> int:
        """The position of the last event with commit time <= the given one; 0 without any."""

    async def prune_commands(self, before_us: int, limit: int) -> int:
        """Forget at most `limit` answers committed before that time; how many were forgotten.

        Damaged ones are kept, as nothing says for certain how old they are. A write: never beside
        an append.
        """

    async def close(self) -> None:
        """Release everything. Idempotent; never raises. No call is allowed after it."""

    def abandon(self) -> None:
        """Release threads at once and synchronously, for a process that is failing. Idempotent."""


def checksum(record: tuple[Any, ...]) -> int:
    """CRC-32 over the canonical bytes of a record, as docs/format.md fixes them.

    Of an EventRecord it is the checksum that stands beside the event in the log: whoever keeps it
    with something derived from the event can tell later whether that is still the same one.
    """
    return _crc32(_encode(record))


def slice_of(aggregate_type: str, aggregate_id: str) -> int:
    """The slice a stream belongs to; fixed for ever by docs/format.md."""
    digest = _sha256(f"{aggregate_type}\0{aggregate_id}".encode()).digest()
    return int.from_bytes(digest[:2], "big") % SLICES


def commands_end(events: Sequence[EventRecord]) -> int:
    """How many events, from the front, make whole commands; 0 if not even the first does."""
    for index in range(len(events) - 1, -1, -1):
        if not events[index].more_in_command:
            return index + 1
    return 0
