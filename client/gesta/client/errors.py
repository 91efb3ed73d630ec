"""Everything a call may raise. Fields first, and always the outcome.

    GestaError                        message, outcome: NOT_DONE unless said otherwise
    ├── BadRequest                    the caller's mistake; asking again cannot help
    │   ├── InvalidRequest            field
    │   ├── UnknownCommand            command
    │   ├── UnknownAggregateType      aggregate_type
    │   ├── CommandIdReused
    │   ├── CommandIdExpired          window_s
    │   ├── OutOfRange                field, asked, first, last
    │   ├── LimitExceeded             limit, maximum
    │   └── LogRestored               fork_position
    ├── Unmet                         a condition does not hold
    │   ├── VersionConflict           aggregate_type, aggregate_id, expected, actual
    │   ├── AggregateExists           actual
    │   ├── AggregateNotFound
    │   ├── SessionSuperseded         name, session: a newer reporter of the projection
    │   └── Refused                   aggregate_type, reason, details: the domain says no
    ├── TryLater                      nothing was started; retry_after_s is the server's advice
    │   ├── Overloaded                what
    │   ├── StorageFull
    │   ├── Draining
    │   ├── Starting
    │   ├── StorageUnavailable
    │   └── Unreachable               no stream could be opened, so nothing left this client
    ├── Expired                       the time given was not enough, and nothing was written
    │   ├── ExpiredInQueue            by the server's clock, before the command was decided
    │   └── DeadlineExceeded          by this client's, before it was sent; or a read took too long
    ├── OutcomeUnknown                outcome UNKNOWN: ask again with the same command_id
    ├── Fault                         something is broken at the server
    │   ├── HandlerFailed             error_id: a bug in the aggregate's code
    │   ├── UnreadableEvent           error_id, position: today's code cannot read it
    │   ├── CorruptEvent              position, None where unknown
    │   └── InternalError             error_id: a bug in gesta
    ├── Unrecognised                  code: not from gesta (a proxy, the network), so UNKNOWN
    ├── ClientClosed                  UNKNOWN for a command that was sent and not answered in time
    └── UnreadableAnswer              done, or read, but this code's contract cannot decode it

A class's `reason` is its name in the contract (`ErrorReason`). A reason that this client does not
know yet is raised as one of the families above, by its code. Arguments that the contract refuses
are found here already, before anything is sent, and raised as gesta.domain's InvalidArgument.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from grpc import StatusCode


class Outcome(StrEnum):
    """What became of something that was not acknowledged."""

    NOT_DONE = "NOT_DONE"
    """Nothing was written, and nothing will be."""
    UNKNOWN = "UNKNOWN"
    """It may have been written, or may still be: ask again with the same command id."""
    DONE = "DONE"
    """Only with UnreadableAnswer: it was written."""


@dataclass(eq=False)
class GestaError(Exception):
    """Base of all."""

    reason: ClassVar[str] = ""
    message: str = ""
    outcome: Outcome = field(default=Outcome.NOT_DONE, kw_only=True)

    def __str__(self) -> str:
        return self.message or type(self).__name__

    def __reduce__(self) -> tuple[object, ...]:
        # Exceptions are copied and pickled by their positional arguments, which leave fields out.
        return _restored, (type(self), vars(self))


class BadRequest(GestaError):
    """The caller's mistake."""


@dataclass(eq=False)
class InvalidRequest(BadRequest):
    """`field` is a path into the request, "" for the whole of it."""

    reason = "INVALID_REQUEST"
    field: str = ""


@dataclass(eq=False)
class UnknownCommand(BadRequest):
    """The type exists, and has no command or query of that name."""

    reason = "UNKNOWN_COMMAND"
    command: str = field(kw_only=True)


@dataclass(eq=False)
class UnknownAggregateType(BadRequest):
    """The server hosts no such type."""

    reason = "UNKNOWN_AGGREGATE_TYPE"
    aggregate_type: str = field(kw_only=True)


class CommandIdReused(BadRequest):
    """The command id stands for another command already."""

    reason = "COMMAND_ID_REUSED"


@dataclass(eq=False)
class CommandIdExpired(BadRequest):
    """The command id is older than answers are remembered, so nobody can say what became of it."""

    reason = "COMMAND_ID_EXPIRED"
    window_s: int = field(kw_only=True)


@dataclass(eq=False)
class OutOfRange(BadRequest):
    """A version, position or time that is not there to be asked for. `first` and `last` are the
    ends of what is; times are microseconds since 1970 UTC."""

    reason = "OUT_OF_RANGE"
    asked: int = field(kw_only=True)
    first: int = field(kw_only=True, default=0)
    last: int = field(kw_only=True)
    field: str = ""


@dataclass(eq=False)
class LimitExceeded(BadRequest):
    """A command wrote more than a command may, or an answer is larger than an answer may be. With
    the outcome UNKNOWN the command is done, and its answer is what is too large."""

    reason = "LIMIT_EXCEEDED"
    limit: str = field(kw_only=True)
    maximum: int = field(kw_only=True)


@dataclass(eq=False)
class LogRestored(BadRequest):
    """What was read after `fork_position` never happened; rebuild from there."""

    reason = "LOG_RESTORED"
    fork_position: int = field(kw_only=True)


class Unmet(GestaError):
    """A condition of the caller, or of the domain, does not hold."""


@dataclass(eq=False)
class VersionConflict(Unmet):
    """The aggregate is not at the expected version. Read what follows it, decide again."""

    reason = "VERSION_CONFLICT"
    aggregate_type: str = field(kw_only=True)
    aggregate_id: str = field(kw_only=True)
    expected: int = field(kw_only=True)
    actual: int = field(kw_only=True)


@dataclass(eq=False)
class AggregateExists(Unmet):
    """The aggregate was required not to exist, and stands at version `actual`."""

    reason = "AGGREGATE_EXISTS"
    actual: int = field(kw_only=True)


class AggregateNotFound(Unmet):
    """The aggregate has no event."""

    reason = "AGGREGATE_NOT_FOUND"


@dataclass(eq=False)
class SessionSuperseded(Unmet):
    """Another reporter of the projection is newer, by the machines' clocks. This one is heard again
    once that has fallen silent."""

    reason = "SESSION_SUPERSEDED"
    name: str = field(kw_only=True)
    session: str = field(kw_only=True)


@dataclass(eq=False)
class Refused(Unmet):
    """The domain says no, for one of the reasons that the command declares."""

    aggregate_type: str = field(kw_only=True)
    reason: str = field(kw_only=True)  # type: ignore[misc]  # here it is each refusal's own
    details: Mapping[str, str] = field(default_factory=dict, kw_only=True)


@dataclass(eq=False)
class TryLater(GestaError):
    """Nothing was started; the same call may succeed soon."""

    retry_after_s: float = field(default=0.0, kw_only=True)


@dataclass(eq=False)
class Overloaded(TryLater):
    """Too much is waiting; `what` names the limit that was met, where it is known."""

    reason = "OVERLOADED"
    what: str = field(default="", kw_only=True)


class StorageFull(TryLater):
    """The disk is full; what was asked was rolled back whole."""

    reason = "STORAGE_FULL"


class Draining(TryLater):
    """The server is stopping."""

    reason = "DRAINING"


class Starting(TryLater):
    """The server is not ready yet."""

    reason = "STARTING"


class StorageUnavailable(TryLater):
    """The storage failed before this was committed, and the server stops."""

    reason = "STORAGE_UNAVAILABLE"


class Unreachable(TryLater):
    """No stream could be opened, so nothing of this left the client."""


class Expired(GestaError):
    """The time given was not enough, and nothing was written."""


class ExpiredInQueue(Expired):
    """The command waited too long at the server, and was never decided."""

    reason = "EXPIRED_IN_QUEUE"


class DeadlineExceeded(Expired):
    """The command was never sent within its time; or a read was not answered within it."""


@dataclass(eq=False)
class OutcomeUnknown(GestaError):
    """No answer came, or the server does not know it itself. Ask again with `command_id`."""

    reason = "OUTCOME_UNKNOWN"
    outcome: Outcome = field(default=Outcome.UNKNOWN, kw_only=True)
    command_id: UUID | None = field(default=None, kw_only=True)


class Fault(GestaError):
    """Something is broken at the server; its log has what the text leaves out."""


@dataclass(eq=False)
class HandlerFailed(Fault):
    """The aggregate's own code failed."""

    reason = "HANDLER_FAILED"
    error_id: str = field(kw_only=True)


@dataclass(eq=False)
class UnreadableEvent(Fault):
    """The code that runs at the server cannot read an event that is stored."""

    reason = "UNREADABLE_EVENT"
    error_id: str = field(kw_only=True)
    position: int = field(kw_only=True)


@dataclass(eq=False)
class CorruptEvent(Fault):
    """Stored bytes fail their checksum."""

    reason = "CORRUPT_EVENT"
    position: int | None = field(default=None, kw_only=True)


@dataclass(eq=False)
class InternalError(Fault):
    """A bug in gesta."""

    reason = "INTERNAL"
    outcome: Outcome = field(default=Outcome.UNKNOWN, kw_only=True)
    error_id: str = field(kw_only=True)


@dataclass(eq=False)
class Unrecognised(GestaError):
    """An error without gesta's details: from a proxy, a limit of gRPC's, or a broken connection."""

    outcome: Outcome = field(default=Outcome.UNKNOWN, kw_only=True)
    code: StatusCode = field(default=StatusCode.UNKNOWN, kw_only=True)


class ClientClosed(GestaError):
    """The client was closed, or has not been opened."""


@dataclass(eq=False)
class UnreadableAnswer(GestaError):
    """The server answered with bytes that this code's contract cannot decode.

    For a command the outcome is DONE: it was written, and asking again gives the same bytes. The
    server very likely runs another version of the aggregate.
    """

    data: bytes = field(default=b"", kw_only=True)


def _restored(error_class: type[GestaError], fields: Mapping[str, object]) -> GestaError:
    error = error_class.__new__(error_class)
    vars(error).update(fields)
    return error
