"""The shape of a type in JSON, and how shapes combine.

docs/encodings.md is the table for people. A shape has three parts. `wire` is what msgspec decodes
into: strict structs that refuse unknown fields, integers held to int64, times that carry a zone.
`lift` makes the author's value of a wire value, `lower` the reverse; each is None where nothing
needs doing, so that a type which msgspec writes as we want it takes msgspec's own path.
"""

import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, Flag
from typing import Any, Literal, Union
from uuid import UUID

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


def union_of(members: Sequence[Shape], where: str) -> Shape:
    kinds = [member.kind for member in members]
    if "union" in kinds:
        raise DefinitionError(where, "a union in a union; write it as one")
    for kind in kinds:
        if kinds.count(kind) > 1:
            raise DefinitionError(where, f"two members of the union are both a JSON {kind}")
    lifts = {member.wired: member.lift or _same for member in members}
    lowers = {member.python: member.lower or _same for member in members}
    return Shape(
        "union",
        UNION[tuple(member.wire for member in members)],
        object,
        object,
        _by_class(lifts) if any(member.lift for member in members) else None,
        _by_class(lowers) if any(member.lower for member in members) else None,
    )


def literal_of(annotation: Any, values: tuple[Any, ...], where: str) -> Shape:
    classes = {type(value) for value in values}
    if classes == {str}:
        return Shape("string", annotation, str, str)
    if classes == {int}:
        return Shape("integer", annotation, int, int)
    raise DefinitionError(where, f"{annotation!r}: literals must be all str or all int")


def tuple_of(item: Shape) -> Shape:
    """A tuple of any length."""
    lift, lower = item.lift, item.lower
    return Shape(
        "array",
        TUPLE[item.wire, ...],
        tuple,
        tuple,
        (lambda values: tuple([lift(value) for value in values])) if lift else None,
        (lambda values: [lower(value) for value in _a(tuple, values)]) if lower else None,
    )


def fixed_tuple_of(items: Sequence[Shape]) -> Shape:
    """A tuple of so many items, each of its own shape."""
    return Shape(
        "array",
        TUPLE[tuple(item.wire for item in items)],
        tuple,
        tuple,
        _each([item.lift for item in items]),
        _each([item.lower for item in items]),
    )


def frozenset_of(item: Shape, where: str) -> Shape:
    """Sets are written sorted, so that equal values are equal bytes: only what sorts is let in."""
    if item.kind not in ("string", "integer", "number"):
        raise DefinitionError(where, f"a frozenset of JSON {item.kind}s has no order; use a tuple")
    lift, lower = item.lift, item.lower
    return Shape(
        "array",
        FROZENSET[item.wire],
        frozenset,
        frozenset,
        (lambda values: frozenset([lift(value) for value in values])) if lift else None,
        (lambda values: frozenset([lower(value) for value in values])) if lower else None,
    )


def mapping_of(item: Shape) -> Shape:
    """A mapping from str."""
    lift, lower = item.lift, item.lower
    return Shape(
        "object",
        DICT[str, item.wire],
        dict,
        dict,
        (lambda values: {key: lift(value) for key, value in values.items()}) if lift else None,
        (lambda values: {key: lower(value) for key, value in values.items()}) if lower else None,
    )


def enum_of(enum: type[Enum], where: str) -> Shape:
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
        {member.name: member for member in enum}.__getitem__,
        lambda member: _a(enum, member).name,
    )


def _by_class(converts: dict[type, Convert]) -> Convert:
    def convert(value: Any) -> Any:
        found = converts.get(type(value))
        if found is None:
            raise TypeError(f"{type(value).__qualname__} is not a member of the union")
        return found(value)

    return convert


def _each(converts: list[Convert | None]) -> Convert | None:
    """One conversion an item, or None where no item needs one."""
    if not any(converts):
        return None
    every = [convert or _same for convert in converts]

    def convert(values: Any) -> tuple[Any, ...]:
        pairs = zip(every, _a(tuple, values), strict=True)
        return tuple([one(value) for one, value in pairs])

    return convert


def _same(value: Any) -> Any:
    return value


def _a(expected: type, value: Any) -> Any:
    """The value, if it is of the class; a str or list that would encode alike is refused here."""
    if type(value) is not expected:
        raise TypeError(f"expected {expected.__qualname__}, got {type(value).__qualname__}")
    return value
