"""Commands and queries as the rest of gesta sees them: names, schemas and encodings."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from gesta.domain.codec import ArgumentsCodec, Codec
from gesta.domain.context import Context
from gesta.domain.errors import HandlerFailed
from gesta.domain.event import EventType


class HandlerType:
    """What a command and a query have in common."""

    __slots__ = (
        "aggregate_type",
        "arguments",
        "doc",
        "handler",
        "name",
        "parameters",
        "positional",
        "reply",
        "required",
        "signature",
        "takes_context",
    )

    def __init__(
        self,
        aggregate_type: str,
        handler: Callable[..., Any],
        signature: inspect.Signature,
        takes_context: bool,
        arguments: ArgumentsCodec,
        reply: Codec,
    ) -> None:
        self.aggregate_type = aggregate_type
        self.name = handler.__name__
        self.doc = inspect.getdoc(handler) or ""
        self.handler = handler
        """The author's function: takes the state, perhaps a Context, then the arguments."""
        self.signature = signature
        """As a caller sees it: without state and Context."""
        parameters = signature.parameters.values()
        self.parameters = frozenset(signature.parameters)
        self.positional = tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)
        """What may be given by position, in order; by name, too."""
        self.required = frozenset(p.name for p in parameters if p.default is p.empty)
        self.takes_context = takes_context
        self.arguments = arguments
        self.reply = reply

    def decode_arguments(self, data: bytes) -> dict[str, object]:
        """Defaults are filled in; empty bytes mean {}. Raises InvalidArgument."""
        return self.arguments.decode(data)

    def encode_arguments(self, arguments: Mapping[str, object]) -> bytes:
        """For callers: only what is given. Raises InvalidArgument."""
        return self.arguments.encode(arguments)

    def encode_reply(self, reply: object) -> bytes:
        """Raises Unserialisable for a reply that is not what the signature says."""
        return self.reply.encode(reply)[0]

    def decode_reply(self, data: bytes) -> Any:
        """Raises Malformed."""
        return self.reply.decode(data)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.aggregate_type}.{self.name}>"


class CommandType(HandlerType):
    """A command. `rejects` are the reasons it may give; `events` what it may yield, by class."""

    __slots__ = ("events", "rejects")

    def __init__(
        self, *common: Any, rejects: frozenset[str], events: Mapping[type, EventType]
    ) -> None:
        super().__init__(*common)
        self.rejects = rejects
        self.events = events


class QueryType(HandlerType):
    """A query: reads one state, changes nothing."""

    __slots__ = ()

    def run(self, state: object, arguments: Mapping[str, Any], context: Context) -> bytes:
        """The encoded reply. `arguments` are decoded ones. Raises HandlerFailed for any bug."""
        try:
            if self.takes_context:
                reply = self.handler(state, context, **arguments)
            else:
                reply = self.handler(state, **arguments)
            return self.encode_reply(reply)
        except Exception as error:  # whatever the author's code raises is the author's bug
            raise HandlerFailed(f"{self.aggregate_type}.{self.name}", error) from error
