"""What the author of an aggregate imports. Pure: no asyncio, no grpc, no sqlite, no other room.

For authors
    decision.py     Decision: the type of a command's generator
    context.py      Context: what a decision may know beyond state and arguments
    rejection.py    Rejected: the domain says no
    event.py        @event, and an event type with its encoding
    command.py      @command and @query, the descriptors
    upcast.py       @upcast and Upcast: how an event stored long ago is read today
    aggregate.py    @aggregate, and an aggregate type: all that a server needs of one
For the server and the client
    catalog.py      Catalog: the types one server hosts
    target.py       from a module or path to aggregate classes
    decide.py       one decision, with its limits
    fingerprint.py  what a command id stands for
    call.py         a command or query with its arguments
    contract.py     commands and queries: names, schemas, encodings
    describe.py     an aggregate type as JSON schemas
    errors.py       the tree of errors
Inside
    body.py         what an aggregate's class body says
    signature.py    from a method's signature to its contract
    upcasters.py    which upcasters are an aggregate's
    evolution.py    the chains of upcasters, checked and run
    code.py         what a snapshot rests on: the fields and the code behind a state
    source.py       what can be seen in an author's source
    names.py        which names may be part of a contract
    codec.py        values to JSON and back, checked
    likeness.py     whether equal values are one and the same
    annotation.py   from a Python annotation to its shape
    shape.py        the shape of a type in JSON, and how shapes combine
    record.py       the shape of a frozen dataclass
    scalars.py      int64, decimals and times
"""

from gesta.domain.aggregate import aggregate
from gesta.domain.call import Call, QueryCall
from gesta.domain.command import Command, Query, command, query
from gesta.domain.context import Context
from gesta.domain.decision import Decision
from gesta.domain.errors import DefinitionError
from gesta.domain.event import event
from gesta.domain.rejection import Rejected
from gesta.domain.upcast import Upcast, upcast

__all__ = [
    "aggregate",
    "command",
    "event",
    "query",
    "upcast",
    "Call",
    "Command",
    "Context",
    "Decision",
    "DefinitionError",
    "Query",
    "QueryCall",
    "Rejected",
    "Upcast",
]
