"""How a Python type looks as JSON: one shape per annotation, compiled once.

docs/encodings.md is the table for people. A shape has three parts. `wire` is what msgspec decodes
into: strict structs that refuse unknown fields, integers held to int64, times that carry a zone.
`lift` makes the author's value of a wire value, `lower` the reverse; each is None where nothing
needs doing, so that a type which msgspec writes as we want it takes msgspec's own path.
"""

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec

from gesta.domain import scalars
from gesta.domain.errors import DefinitionError

Convert = Callable[[Any], Any]

# Parametrised with what is known at run time only, which a type checker cannot follow.
TUPLE: Any = tuple
FROZENSET: Any = frozenset
DICT: Any = dict
UNION: Any = Union
LITERAL: Any = Literal


@dataclass(frozen=True, slots=True)
class Shape:
    """`kind` is the JSON kind, by which the members of a union are told apart."""

    kind: str
    wire: Any
    python: type
    """The class of the author's value."""
    wired: type
    """The class of the wire value."""
    lift: Convert | None = None
    lower: Convert | None = None


NULL = Shape("null", None, types.NoneType, types.NoneType)

SCALARS: Mapping[Any, Shape] = {
    None: NULL,
    types.NoneType: NULL,
    bool: Shape("boolean", bool, bool, bool),
    int: Shape("integer", scalars.INT64, int, int),
    float: Shape("number", float, float, float),
    str: Shape("string", str, str, str),
    bytes: Shape("string", bytes, bytes, bytes),
    UUID: Shape("string", UUID, UUID, UUID),
    date: Shape("string", date, date, date),
    time: Shape("string", scalars.NAIVE_TIME, time, time),
    timedelta: Shape("string", timedelta, timedelta, timedelta),
    datetime: Shape(
        "string", scalars.AWARE_TIME, datetime, datetime, scalars.as_utc, scalars.as_utc
    ),
    Decimal: Shape("string", scalars.DECIMAL_TEXT, Decimal, str, Decimal, scalars.text_of_decimal),
}

INSTEAD = {
    list: "a tuple",
    set: "a frozenset",
    dict: "a Mapping[str, ...]",
    bytearray: "bytes",
}


def shape_of(annotation: Any, where: str, outer: tuple[type, ...] = ()) -> Shape:
    """The shape of an annotation whose forward references are resolved.

    `outer` are the dataclasses around it. Raises DefinitionError for whatever the table lacks.
    """
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    try:
        if annotation in SCALARS:
            return SCALARS[annotation]
    except TypeError:  # unhashable, for example Annotated[int, []]
        raise _unsupported(annotation, where) from None
    origin = get_origin(annotation)
    if origin is not None:
        return _parametrised(annotation, origin, where, outer)
    if not isinstance(annotation, type):
        raise _unsupported(annotation, where)
    if issubclass(annotation, Enum):
        return _enum_shape(annotation, where)
    if hasattr(annotation, "__dataclass_fields__"):
        from gesta.domain.record import record_shape  # the two recur into each other

        return record_shape(annotation, where, outer)
    raise _unsupported(annotation, where)


def _parametrised(annotation: Any, origin: Any, where: str, outer: tuple[type, ...]) -> Shape:
    arguments = get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], where, outer)
    if origin is Union or origin is types.UnionType:
        return _union([shape_of(member, where, outer) for member in arguments], where)
    if origin is Literal:
        return _literal(annotation, arguments, where)
    if origin is tuple:
        return _tuple(arguments, where, outer)
    if origin is frozenset:
        return _frozenset(arguments[0], where, outer)
    if origin is Mapping:
        return _mapping(arguments[0], arguments[1], where, outer)
    if isinstance(origin, typing.TypeAliasType if hasattr(typing, "TypeAliasType") else ()):
        return shape_of(origin.__value__[arguments], where, outer)
    raise _unsupported(annotation, where)


def _annotated(inner: Any, extras: tuple[Any, ...], where: str, outer: tuple[type, ...]) -> Shape:
    shape = shape_of(inner, where, outer)
    metas = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
    if not metas:
        return shape
    if shape.wire is scalars.INT64:
        return _replace_wire(shape, scalars.bounded_int(metas))
    if shape.lift is not None and shape.wire is not scalars.AWARE_TIME:
        raise DefinitionError(where, f"a constraint on {inner!r} cannot be checked")
    wire = shape.wire
    for meta in metas:
        wire = Annotated[wire, meta]
    return _replace_wire(shape, wire)


def _replace_wire(shape: Shape, wire: Any) -> Shape:
    return Shape(shape.kind, wire, shape.python, shape.wired, shape.lift, shape.lower)


def _union(members: list[Shape], where: str) -> Shape:
    kinds = [member.kind for member in members]
    if len(set(kinds)) < len(kinds):
        twice = next(kind for kind in kinds if kinds.count(kind) > 1)
        raise DefinitionError(where, f"two members of the union are both a JSON {twice}")
    wire = UNION[tuple(member.wire for member in members)]
    lift = {member.wired: member.lift or _same for member in members}
    lower = {member.python: member.lower or _same for member in members}
    lifts = any(member.lift for member in members)
    lowers = any(member.lower for member in members)
    return Shape(
        "union of " + ", ".join(kinds),
        wire,
        object,
        object,
        (lambda value: lift[type(value)](value)) if lifts else None,
        (lambda value: lower[type(value)](value)) if lowers else None,
    )


def _literal(annotation: Any, values: tuple[Any, ...], where: str) -> Shape:
    classes = {type(value) for value in values}
    if classes == {str}:
        return Shape("string", annotation, str, str)
    if classes == {int}:
        return Shape("integer", annotation, int, int)
    raise DefinitionError(where, f"{annotation!r}: literals must be all str or all int")


def _tuple(items: tuple[Any, ...], where: str, outer: tuple[type, ...]) -> Shape:
    if len(items) == 2 and items[1] is Ellipsis:
        item = shape_of(items[0], where, outer)
        lift, lower = item.lift, item.lower
        return Shape(
            "array",
            TUPLE[item.wire, ...],
            tuple,
            tuple,
            (lambda values: tuple([lift(value) for value in values])) if lift else None,
            (lambda values: tuple([lower(value) for value in _a(tuple, values)]))
            if lower
            else None,
        )
    shapes = [shape_of(item, where, outer) for item in items]
    lifts = [shape.lift or _same for shape in shapes]
    lowers = [shape.lower or _same for shape in shapes]
    return Shape(
        "array",
        TUPLE[tuple(shape.wire for shape in shapes)],
        tuple,
        tuple,
        (lambda values: _each(lifts, values)) if any(s.lift for s in shapes) else None,
        (lambda values: _each(lowers, values)) if any(s.lower for s in shapes) else None,
    )


def _frozenset(item: Any, where: str, outer: tuple[type, ...]) -> Shape:
    shape = shape_of(item, where, outer)
    # Sets are written sorted, so that equal events are equal bytes: only what sorts may be in one.
    if shape.kind not in ("string", "integer", "number"):
        raise DefinitionError(where, f"a frozenset of {item!r} has no fixed order; use a tuple")
    lift, lower = shape.lift, shape.lower
    return Shape(
        "array",
        FROZENSET[shape.wire],
        frozenset,
        frozenset,
        (lambda values: frozenset([lift(value) for value in values])) if lift else None,
        (lambda values: frozenset([lower(value) for value in values])) if lower else None,
    )


def _mapping(key: Any, item: Any, where: str, outer: tuple[type, ...]) -> Shape:
    if shape_of(key, where, outer).wire is not str:
        raise DefinitionError(where, f"the keys of a Mapping must be str, not {key!r}")
    shape = shape_of(item, where, outer)
    lift, lower = shape.lift, shape.lower
    return Shape(
        "object",
        DICT[str, shape.wire],
        dict,
        dict,
        (lambda values: {key: lift(value) for key, value in values.items()}) if lift else None,
        (lambda values: {key: lower(value) for key, value in values.items()}) if lower else None,
    )


def _enum_shape(enum: type[Enum], where: str) -> Shape:
    if issubclass(enum, Flag) or not len(enum):
        raise DefinitionError(where, f"{enum.__qualname__} has no one name per value")
    names = tuple(member.name for member in enum)
    if issubclass(enum, str) and all(member.value == member.name for member in enum):
        return Shape("string", enum, enum, enum)  # msgspec writes values; here they are the names
    return Shape(
        "string",
        LITERAL[names],
        enum,
        str,
        enum.__getitem__,
        lambda member: _a(enum, member).name,
    )


def _same(value: Any) -> Any:
    return value


def _a(expected: type, value: Any) -> Any:
    """The value, if it is of the class; a str or list that would encode alike is refused here."""
    if type(value) is not expected:
        raise TypeError(f"expected {expected.__qualname__}, got {type(value).__qualname__}")
    return value


def _each(converts: list[Convert], values: Any) -> tuple[Any, ...]:
    pairs = zip(converts, _a(tuple, values), strict=True)
    return tuple([convert(value) for convert, value in pairs])


def _unsupported(annotation: Any, where: str) -> DefinitionError:
    origin = get_origin(annotation) or annotation
    for mutable, instead in INSTEAD.items():
        if origin is mutable:
            return DefinitionError(where, f"{_name(annotation)} is mutable; use {instead}")
    return DefinitionError(where, f"{_name(annotation)} has no encoding (docs/encodings.md)")


def _name(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else repr(annotation)
