"""JSON payloads: typed by the classes of gesta.domain, or plain."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec

from gesta.client.errors import Outcome, UnreadableAnswer
from gesta.domain.aggregate import AggregateType, aggregate_type_of
from gesta.domain.call import Call, QueryCall
from gesta.domain.errors import DomainError, UnknownEvent
from gesta.domain.event import EventType, event_type_of_class

T = TypeVar("T")


def type_of_aggregate(aggregate_class: type) -> AggregateType:
    """Raises TypeError for a class without @aggregate."""
    found = aggregate_type_of(aggregate_class)
    if found is None:
        raise TypeError(f"{aggregate_class!r} is not an @aggregate class")
    return found


def check_call(call: object, aggregate_type: str) -> None:
    """Raises TypeError for what is no call of this type. The type checker sees it too; an untyped
    caller would have the call executed elsewhere."""
    if not isinstance(call, (Call, QueryCall)):
        raise TypeError(
            f"not a call, but {call!r}; write {aggregate_type}.<name>(<arguments>), on the class"
        )
    if call.aggregate_type != aggregate_type:
        raise TypeError(f"a call of {call.aggregate_type}, asked of a {aggregate_type}")


def type_of_event(event_class: type) -> EventType:
    """Raises TypeError for a class without @event."""
    found = event_type_of_class(event_class)
    if found is None:
        raise TypeError(f"{event_class!r} is not an @event class")
    return found


def aggregate_name(aggregate: str | type) -> str:
    """The name of an aggregate type given by name or class."""
    return aggregate if isinstance(aggregate, str) else type_of_aggregate(aggregate).name


def event_name(event: str | type) -> str:
    """The name of an event type given by name or class."""
    return event if isinstance(event, str) else type_of_event(event).name


def decode_event(classes: Sequence[type], event_type: str, schema_version: int, data: bytes) -> Any:
    """An event by the classes that may be it; see Event.decode."""
    for each in classes:
        aggregate = aggregate_type_of(each)
        found = type_of_event(each) if aggregate is None else aggregate.events.get(event_type)
        if found and (found.name, found.schema_version) == (event_type, schema_version):
            return found.decode(data)
    names = ", ".join(each.__qualname__ for each in classes)
    raise UnknownEvent(event_type, schema_version, f"none of ({names}) is it")


def encode_plain(arguments: Mapping[str, object] | None) -> bytes:
    """Empty for nothing. Raises TypeError for a value that JSON does not have."""
    return msgspec.json.encode(arguments) if arguments else b""


def decode_plain(data: bytes) -> Any:
    """None for no bytes at all, which a server without a reply may send."""
    return msgspec.json.decode(data) if data else None


def decode_answer(decode: Callable[[bytes], T], data: bytes, outcome: Outcome) -> T:
    """What the server answered. Raises UnreadableAnswer with `outcome` where it does not fit."""
    try:
        return decode(data)
    except (DomainError, msgspec.DecodeError) as error:
        raise UnreadableAnswer(
            f"this code cannot decode the server's answer: {error}", outcome=outcome, data=data
        ) from error
