"""Everything the engine answers instead of a result. Fields first; the text is made from them.

EngineError                       outcome NOT_DONE, unless said otherwise
├── BadRequest                    the caller's mistake; asking again cannot help
│   ├── InvalidRequest            field, detail
│   ├── UnknownCommand            aggregate_type, command
│   ├── UnknownAggregateType      aggregate_type
│   ├── CommandIdReused           command_id
│   ├── CommandIdExpired          command_id, window_s
│   ├── OutOfRange                field, asked, first, last
│   ├── LimitExceeded             limit, maximum; UNKNOWN: done, and the answer is too large
│   └── LogRestored               fork_position
├── Unmet                         a condition does not hold
│   ├── VersionConflict           aggregate_type, aggregate_id, expected, actual
│   ├── AggregateExists           aggregate_type, aggregate_id, actual
│   ├── AggregateNotFound         aggregate_type, aggregate_id
│   ├── SessionSuperseded         name, session: a newer reporter of the projection
│   └── Refused                   aggregate_type, reason, message, details: the domain says no
├── TryLater                      nothing was started; the same call may succeed soon
│   ├── Overloaded                what, retry_after_ms
│   ├── StorageIsFull             retry_after_ms
│   ├── Draining                  retry_after_ms
│   ├── Starting                  retry_after_ms
│   └── StorageUnavailable
├── ExpiredInQueue                waited_ms
├── OutcomeUnknown                outcome UNKNOWN: command_id
└── Fault                         something is broken here, not at the caller's
    ├── HandlerBroken             error_id: a bug in the aggregate's code
    ├── UnreadableEvent           error_id, position: today's code cannot read it
    ├── CorruptEvent              position, None where unknown
    └── InternalError             error_id: a bug in gesta
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Outcome(StrEnum):
    """What became of a command that was not acknowledged."""

    NOT_DONE = "NOT_DONE"
    UNKNOWN = "UNKNOWN"


class EngineError(Exception):
    """Base of all; `outcome` is what the caller may conclude."""

    outcome = Outcome.NOT_DONE

    def bare(self) -> Self:
        """The same without a traceback. One holds the frames it passed through, and with them
        arguments and states, and grows with every raise: what is kept for longer is kept bare."""
        bare = type(self).__new__(type(self))
        bare.args = self.args
        bare.__dict__.update(self.__dict__)
        return bare


class BadRequest(EngineError):
    """The caller's mistake."""


class InvalidRequest(BadRequest):
    """`field` is a path into the request, "" for the whole of it."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(f"{field}: {detail}" if field else detail)
        self.field = field
        self.detail = detail


class UnknownCommand(BadRequest):
    """The type exists, and has no command or query of that name."""

    def __init__(self, aggregate_type: str, command: str, kind: str = "command") -> None:
        super().__init__(f"{aggregate_type} has no {kind} {command!r}")
        self.aggregate_type = aggregate_type
        self.command = command


class UnknownAggregateType(BadRequest):
    """No such type is hosted here."""

    def __init__(self, aggregate_type: str) -> None:
        super().__init__(f"this server hosts no aggregate type {aggregate_type!r}")
        self.aggregate_type = aggregate_type


class CommandIdReused(BadRequest):
    """The command id stands for another command already."""

    def __init__(self, command_id: bytes) -> None:
        super().__init__(f"command id {UUID(bytes=command_id)} was used for another command")
        self.command_id = command_id


class CommandIdExpired(BadRequest):
    """The command id is older than answers are remembered."""

    def __init__(self, command_id: bytes, window_s: int) -> None:
        super().__init__(
            f"command id {UUID(bytes=command_id)} is older than the {window_s} s "
            "for which answers are remembered"
        )
        self.command_id = command_id
        self.window_s = window_s


class OutOfRange(BadRequest):
    """A version, position or time that is not there to be asked for. `first` and `last` are the
    ends of what is; times are microseconds since 1970 UTC."""

    def __init__(self, field: str, asked: int, last: int, *, first: int = 0) -> None:
        said = [
            _time(each) if field.endswith("_time") else str(each) for each in (asked, first, last)
        ]
        super().__init__("{}: {} is outside of what there is, {} to {}".format(field, *said))
        self.field = field
        self.asked = asked
        self.first = first
        self.last = last


class LimitExceeded(BadRequest):
    """A command wrote more than a command may, or an answer is larger than an answer may be.
    `outcome` is UNKNOWN where the answer is that of a command that was done all the same."""

    def __init__(self, limit: str, maximum: int, outcome: Outcome = Outcome.NOT_DONE) -> None:
        super().__init__(f"{limit} = {maximum} is exceeded")
        self.limit = limit
        self.maximum = maximum
        self.outcome = outcome


class LogRestored(BadRequest):
    """A token from a part of the log that a restore undid."""

    def __init__(self, fork_position: int) -> None:
        super().__init__(
            f"the token is from before the log was restored; everything after position "
            f"{fork_position} must be read again"
        )
        self.fork_position = fork_position


class Unmet(EngineError):
    """A condition of the caller, or of the domain, does not hold."""


class VersionConflict(Unmet):
    """The aggregate is not at the expected version."""

    def __init__(self, aggregate_type: str, aggregate_id: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{aggregate_type}<{aggregate_id}> is at version {actual}, not at {expected}"
        )
        self.aggregate_type = aggregate_type
        self.aggregate_id = aggregate_id
        self.expected = expected
        self.actual = actual


class AggregateExists(Unmet):
    """The aggregate was required not to exist."""

    def __init__(self, aggregate_type: str, aggregate_id: str, actual: int) -> None:
        super().__init__(f"{aggregate_type}<{aggregate_id}> exists, at version {actual}")
        self.aggregate_type = aggregate_type
        self.aggregate_id = aggregate_id
        self.actual = actual


class AggregateNotFound(Unmet):
    """The aggregate has no event."""

    def __init__(self, aggregate_type: str, aggregate_id: str) -> None:
        super().__init__(f"{aggregate_type}<{aggregate_id}> does not exist")
        self.aggregate_type = aggregate_type
        self.aggregate_id = aggregate_id


class SessionSuperseded(Unmet):
    """A newer session reports for the projection, and is not silent."""

    def __init__(self, name: str, session: bytes) -> None:
        super().__init__(f"session {UUID(bytes=session)} reports for projection {name!r} by now")
        self.name = name
        self.session = session


class Refused(Unmet):
    """The domain says no; `reason` is one the command declares."""

    def __init__(
        self, aggregate_type: str, reason: str, message: str, details: Mapping[str, str]
    ) -> None:
        super().__init__(message or reason)
        self.aggregate_type = aggregate_type
        self.reason = reason
        self.details = details


class TryLater(EngineError):
    """Nothing was started. `retry_after_ms` is advice; 0 gives none."""

    def __init__(self, message: str, retry_after_ms: int) -> None:
        super().__init__(message)
        self.retry_after_ms = retry_after_ms


class Overloaded(TryLater):
    """Too much is waiting; `what` names the limit that was met."""

    def __init__(self, what: str, retry_after_ms: int = 50) -> None:
        super().__init__(f"overloaded: {what}", retry_after_ms)
        self.what = what


class StorageIsFull(TryLater):
    """The disk is full; what was asked was rolled back whole."""

    def __init__(self, retry_after_ms: int = 1_000) -> None:
        super().__init__("the storage is full; nothing was written", retry_after_ms)


class Draining(TryLater):
    """The server is stopping."""

    def __init__(self, retry_after_ms: int = 500) -> None:
        super().__init__("the server is stopping", retry_after_ms)


class Starting(TryLater):
    """The server is not ready yet."""

    def __init__(self, retry_after_ms: int = 500) -> None:
        super().__init__("the server is starting", retry_after_ms)


class StorageUnavailable(TryLater):
    """The storage failed before this was committed."""

    def __init__(self) -> None:
        super().__init__("the storage failed; nothing of this was written", 1_000)


class ExpiredInQueue(EngineError):
    """The deadline passed before the command was decided."""

    def __init__(self) -> None:
        super().__init__("the deadline passed while the command waited; nothing was written")


class OutcomeUnknown(EngineError):
    """The commit failed half-way; only the next start of the server knows."""

    outcome = Outcome.UNKNOWN

    def __init__(self) -> None:
        super().__init__("the storage failed during the commit; ask again with the same command id")


class Fault(EngineError):
    """Something is broken here. The text names nothing of the inside; the log has it all."""


class HandlerBroken(Fault):
    """The aggregate's own code failed."""

    def __init__(self, error_id: str) -> None:
        super().__init__(f"the aggregate's code failed; the server's log has it as {error_id}")
        self.error_id = error_id


class UnreadableEvent(Fault):
    """The code of today cannot read an event that is stored."""

    def __init__(self, error_id: str, position: int) -> None:
        super().__init__(
            f"the event at position {position} cannot be read by the code that runs; "
            f"the server's log has it as {error_id}"
        )
        self.error_id = error_id
        self.position = position


class CorruptEvent(Fault):
    """Stored bytes fail their checksum, or something is missing between them."""

    def __init__(self, position: int | None) -> None:
        where = "stored bytes are" if position is None else f"the event at position {position} is"
        super().__init__(f"{where} damaged")
        self.position = position


class InternalError(Fault):
    """A bug in gesta. `outcome` is UNKNOWN where the command may have been written."""

    def __init__(self, error_id: str, outcome: Outcome = Outcome.UNKNOWN) -> None:
        super().__init__(f"an internal error; the server's log has it as {error_id}")
        self.error_id = error_id
        self.outcome = outcome


def _time(time_us: int) -> str:
    return (_EPOCH + timedelta(microseconds=time_us)).isoformat()
