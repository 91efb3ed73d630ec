"""The Python client: `async with connect("localhost:50051") as client: ...`.

What is asked
    client.py         Client and `connect`
    aggregate.py      AggregateHandle: commands, queries and state of one aggregate, typed
    repository.py     Repository: aggregates that decide here; keeping.py for its snapshots
    reading.py        Reading: the log, or a part of it, to its present end
    history.py        the past of one aggregate, and dry runs
    subscription.py   Subscription: the log as it grows
    appending.py      NewEvent, Check: writing events without a command
    projections.py    how far projections have come; reporter.py for a projection to tell
    filters.py        Match: which events to read
What comes back
    results.py        Done, State, Appended, AggregateSummary
                      history.py has Change and Outlook
    event.py          Event
    descriptions.py   ServerInfo, AggregateTypeDescription
    errors.py         the tree of errors, each with its outcome
Settings
    options.py        Options, with the reason for each default
    retry.py          RetryPolicy: when to ask again; the budget for it
    ids.py            command ids
How it is done
    connection.py     one channel; unary calls with their attempts
    commands.py       from arguments to an answer, over a stream or alone
    batching.py       the stream that concurrent commands share; session.py for one call of it,
                      command_queue.py for what waits, deadlines.py for how long
    follower.py       the connection of a subscription; handover.py for its frames, silence.py for
                      a peer that has gone
    reads.py          state, queries, lists, and what the server says of itself
    attempts.py       one request's attempts, and what is known when they end
    status.py         from a gRPC status to an error
    wire.py           commands as protobuf bytes, by hand
    payloads.py       JSON, typed and plain; times.py for times
"""

from gesta.client.aggregate import AggregateHandle
from gesta.client.appending import Check, NewEvent
from gesta.client.client import Client, ClientState, connect
from gesta.client.descriptions import AggregateTypeDescription, ServerInfo
from gesta.client.errors import (
    AggregateExists,
    AggregateNotFound,
    BadRequest,
    ClientClosed,
    CommandIdExpired,
    CommandIdReused,
    CorruptEvent,
    DeadlineExceeded,
    Draining,
    Expired,
    ExpiredInQueue,
    Fault,
    GestaError,
    HandlerFailed,
    InternalError,
    InvalidRequest,
    LimitExceeded,
    LogRestored,
    Outcome,
    OutcomeUnknown,
    OutOfRange,
    Overloaded,
    Refused,
    SessionSuperseded,
    Starting,
    StorageFull,
    StorageUnavailable,
    TryLater,
    UnknownAggregateType,
    UnknownCommand,
    Unmet,
    Unreachable,
    UnreadableAnswer,
    UnreadableEvent,
    Unrecognised,
    VersionConflict,
)
from gesta.client.event import Event
from gesta.client.filters import Match
from gesta.client.history import Change, Foreseen, Outlook
from gesta.client.ids import command_id_for
from gesta.client.keeping import Keeper, Kept, MemoryKeeper
from gesta.client.options import Options
from gesta.client.projections import ProjectionReport
from gesta.client.reading import Reading
from gesta.client.reads import Moment
from gesta.client.reporter import Reporter
from gesta.client.repository import Loaded, Repository
from gesta.client.results import AggregateSummary, Appended, Done, State
from gesta.client.retry import RetryPolicy
from gesta.client.subscription import Batch, Subscription

__all__ = [
    "connect",
    "Client",
    "ClientState",
    "Options",
    "RetryPolicy",
    "AggregateHandle",
    "Done",
    "State",
    "Moment",
    "Change",
    "Outlook",
    "Foreseen",
    "AggregateSummary",
    "command_id_for",
    "Reading",
    "Subscription",
    "Batch",
    "Event",
    "Match",
    "NewEvent",
    "Check",
    "Appended",
    "Repository",
    "Keeper",
    "Kept",
    "MemoryKeeper",
    "Loaded",
    "ProjectionReport",
    "Reporter",
    "ServerInfo",
    "AggregateTypeDescription",
    "Outcome",
    "GestaError",
    "BadRequest",
    "InvalidRequest",
    "UnknownCommand",
    "UnknownAggregateType",
    "CommandIdReused",
    "CommandIdExpired",
    "OutOfRange",
    "LimitExceeded",
    "LogRestored",
    "Unmet",
    "VersionConflict",
    "AggregateExists",
    "AggregateNotFound",
    "SessionSuperseded",
    "Refused",
    "TryLater",
    "Overloaded",
    "StorageFull",
    "Draining",
    "Starting",
    "StorageUnavailable",
    "Unreachable",
    "Expired",
    "ExpiredInQueue",
    "DeadlineExceeded",
    "OutcomeUnknown",
    "Fault",
    "HandlerFailed",
    "UnreadableEvent",
    "CorruptEvent",
    "InternalError",
    "Unrecognised",
    "ClientClosed",
    "UnreadableAnswer",
]
