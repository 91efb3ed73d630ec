"""`@on`: which events a method is for."""

import inspect
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from gesta.client import Event
from gesta.domain.errors import DefinitionError, UnknownEvent
from gesta.domain.event import EventType, event_type_of_class

P = TypeVar("P")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
F = TypeVar("F", bound=Callable[..., Any])

Handling = Coroutine[Any, Any, None]
Plain = dict[str, Any]
"""A payload as plain JSON; enums, times and decimals are strings here."""


@dataclass(frozen=True, slots=True)
class Handler:
    """One method, for one event type."""

    event_type: str
    function: Callable[[Any, Any, Event, AsyncConnection], Handling]
    """Unbound."""
    decode: Callable[[Event], Any]
    schema: str
    """Which events it can read, as part of the projection's fingerprint."""


@overload
def on(
    first: type[A], /
) -> Callable[
    [Callable[[P, A, Event, AsyncConnection], Handling]],
    Callable[[P, A, Event, AsyncConnection], Handling],
]: ...
@overload
def on(
    first: type[A], second: type[B], /
) -> Callable[
    [Callable[[P, A | B, Event, AsyncConnection], Handling]],
    Callable[[P, A | B, Event, AsyncConnection], Handling],
]: ...
@overload
def on(
    first: type[A], second: type[B], third: type[C], /
) -> Callable[
    [Callable[[P, A | B | C, Event, AsyncConnection], Handling]],
    Callable[[P, A | B | C, Event, AsyncConnection], Handling],
]: ...
@overload
def on(
    first: str, /, *more: str
) -> Callable[
    [Callable[[P, Plain, Event, AsyncConnection], Handling]],
    Callable[[P, Plain, Event, AsyncConnection], Handling],
]: ...
def on(*events: type | str) -> Callable[[F], F]:
    """Makes a method the handler of up to three @event classes, or of event types by stored name.

    The method is `async def f(self, event, recorded, connection)`: the event as an instance of its
    class, or by name as plain JSON; the same event as the log has it, with position, aggregate and
    times; and the connection, within the transaction that the checkpoint is committed in.
    """

    def decorate(function: F) -> F:
        function.__gesta_on__ = events  # type: ignore[attr-defined]
        return function

    return decorate


def handlers_of(projection: type) -> dict[str, Handler]:
    """By event type. Raises DefinitionError."""
    handlers: dict[str, Handler] = {}
    for name, function, events in _marked(projection):
        where = f"{projection.__qualname__}.{name}"
        _check(function, where)
        for handler in [_handler(each, function, where) for each in events]:
            if handler.event_type in handlers:
                raise DefinitionError(where, f"{handler.event_type} has a handler already")
            handlers[handler.event_type] = handler
    if not handlers:
        raise DefinitionError(projection.__qualname__, "no method is a handler; use @on")
    return handlers


def _marked(projection: type) -> Iterator[tuple[str, Callable[..., Any], tuple[type | str, ...]]]:
    for name in dir(projection):
        function = inspect.getattr_static(projection, name)
        events = getattr(function, "__gesta_on__", None)
        if events is not None:
            yield name, function, events


def _check(function: Callable[..., Any], where: str) -> None:
    if not inspect.iscoroutinefunction(function):
        raise DefinitionError(where, "a handler is an async method")
    try:
        inspect.signature(function).bind("self", "event", "recorded", "connection")
    except TypeError:
        raise DefinitionError(
            where, "a handler takes (self, event, recorded, connection)"
        ) from None


def _handler(event: type | str, function: Callable[..., Any], where: str) -> Handler:
    if isinstance(event, str):
        return Handler(event, function, _plain, event)
    found = event_type_of_class(event)
    if found is None:
        raise DefinitionError(where, f"{event!r} is neither an @event class nor a name")
    return Handler(found.name, function, _typed(found), f"{found.name} {found.schema_version}")


def _plain(event: Event) -> Any:
    return msgspec.json.decode(event.message.data)


def _typed(event_type: EventType) -> Callable[[Event], Any]:
    """As Event.decode, without looking for the class each time."""
    schema_version, decode = event_type.schema_version, event_type.decode

    def typed(event: Event) -> Any:
        message = event.message
        if message.schema_version != schema_version:
            raise UnknownEvent(
                message.event_type, message.schema_version, f"the class is {event_type!r}"
            )
        return decode(message.data)

    return typed
