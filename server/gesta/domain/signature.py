"""From a method's signature to its contract."""

import inspect
from collections.abc import Generator, Mapping
from types import UnionType
from typing import Any, Never, NoReturn, Self, Union, get_args, get_origin

from gesta.domain.annotation import hints_of, shape_of
from gesta.domain.codec import ArgumentsCodec, Codec
from gesta.domain.command import Command, Query
from gesta.domain.context import Context
from gesta.domain.contract import CommandType, QueryType
from gesta.domain.errors import DefinitionError
from gesta.domain.event import EventType, event_type_of_class
from gesta.domain.names import reasons_of

ARGUMENTS_MAX = 100
"""No signature that people can read comes near; it bounds what one command may be asked."""


def command_type(
    aggregate_type: str,
    cls: type,
    declared: Command[Any, ..., Any],
    events: Mapping[type, EventType],
) -> CommandType:
    """Raises DefinitionError for whatever cannot be a contract."""
    handler = declared.handler
    where = f"{cls.__qualname__}.{handler.__name__}"
    if not inspect.isgeneratorfunction(handler):
        raise DefinitionError(
            where, "a command is a generator; one without events does `yield from ()`"
        )
    hints = hints_of(handler, cls, where)
    returned = hints.get("return")
    if get_origin(returned) is not Generator:
        raise DefinitionError(where, "a command returns Decision[events, state, reply]")
    yielded, received, reply = get_args(returned)
    if received not in (cls, Self):
        raise DefinitionError(where, f"its Decision receives {received!r}, not {cls.__qualname__}")
    common = _common(aggregate_type, cls, handler, hints, reply)
    rejects = reasons_of(declared.rejects, where) if declared.rejects else frozenset()
    return CommandType(*common, rejects=rejects, events=_yielded(yielded, events, where))


def query_type(aggregate_type: str, cls: type, declared: Query[Any, ..., Any]) -> QueryType:
    """Raises DefinitionError for whatever cannot be a contract."""
    handler = declared.handler
    where = f"{cls.__qualname__}.{handler.__name__}"
    if inspect.isgeneratorfunction(handler) or inspect.iscoroutinefunction(handler):
        raise DefinitionError(where, "a query is a plain method: no yield, no await")
    hints = hints_of(handler, cls, where)
    if "return" not in hints:
        raise DefinitionError(where, "the return annotation is missing")
    return QueryType(*_common(aggregate_type, cls, handler, hints, hints["return"]))


def members_of(annotation: Any) -> tuple[Any, ...]:
    """The members of a union, or the one type; none for Never."""
    if annotation in (Never, NoReturn):
        return ()
    if get_origin(annotation) in (Union, UnionType):
        return get_args(annotation)
    return (annotation,)


def _common(
    aggregate_type: str, cls: type, handler: Any, hints: dict[str, Any], reply: Any
) -> tuple[Any, ...]:
    where = f"{cls.__qualname__}.{handler.__name__}"
    parameters = list(inspect.signature(handler).parameters.values())[1:]
    takes_context = bool(parameters) and hints.get(parameters[0].name) is Context
    if takes_context:
        parameters = parameters[1:]
    if len(parameters) > ARGUMENTS_MAX:
        raise DefinitionError(where, f"more than {ARGUMENTS_MAX} arguments")
    for parameter in parameters:
        _check_parameter(parameter, hints, where)
    shapes = {p.name: shape_of(hints[p.name], f"{where}({p.name})") for p in parameters}
    defaults = {p.name: p.default for p in parameters if p.default is not p.empty}
    return (
        aggregate_type,
        handler,
        inspect.Signature(parameters),
        takes_context,
        ArgumentsCodec(where, cls.__module__, shapes, defaults),
        Codec(shape_of(reply, f"the reply of {where}"), f"the reply of {where}"),
    )


def _check_parameter(parameter: inspect.Parameter, hints: dict[str, Any], where: str) -> None:
    at = f"{where}({parameter.name})"
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        raise DefinitionError(at, "a contract names every argument: no *args, no **kwargs")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise DefinitionError(at, "arguments travel by name: drop the '/'")
    if parameter.name not in hints:
        raise DefinitionError(at, "the annotation is missing")
    if hints[parameter.name] is Context:
        raise DefinitionError(at, "a Context must be the first parameter after self")


def _yielded(
    annotation: Any, events: Mapping[type, EventType], where: str
) -> dict[type, EventType]:
    yielded = {}
    for member in members_of(annotation):
        if event_type_of_class(member) is None:
            raise DefinitionError(where, f"it yields {member!r}, which is not an @event")
        if member not in events:
            raise DefinitionError(
                where, f"it yields {member.__qualname__}, which evolve does not handle"
            )
        yielded[member] = events[member]
    return yielded
