"""From a Python annotation to its shape."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from weakref import WeakKeyDictionary

import msgspec

from gesta.domain import scalars
from gesta.domain.errors import DefinitionError
from gesta.domain.record import check_plain, record_of
from gesta.domain.shape import (
    SCALARS,
    Shape,
    enum_of,
    fixed_tuple_of,
    frozenset_of,
    literal_of,
    mapping_of,
    tuple_of,
    union_of,
)

INSTEAD = {
    list: "a tuple",
    set: "a frozenset",
    dict: "a Mapping[str, ...]",
    bytearray: "bytes",
}


# One wire struct per class, so that a description names it once. Shapes never change.
_shapes: WeakKeyDictionary[type, Shape] = WeakKeyDictionary()


def shape_of(annotation: Any, where: str, outer: tuple[type, ...] = ()) -> Shape:
    """The shape of an annotation whose forward references are resolved.

    `outer` are the dataclasses around it. Raises DefinitionError for whatever the table lacks.
    """
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    if hasattr(annotation, "__value__"):  # `type Name = ...`, from Python 3.12 on
        return shape_of(annotation.__value__, where, outer)
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
        return enum_of(annotation, where)
    if hasattr(annotation, "__dataclass_fields__"):
        return record_shape(annotation, where, outer)
    raise _unsupported(annotation, where)


def _parametrised(annotation: Any, origin: Any, where: str, outer: tuple[type, ...]) -> Shape:
    arguments = get_args(annotation)
    if origin is Annotated:
        return _annotated(arguments[0], arguments[1:], where, outer)
    if origin is Union or origin is types.UnionType:
        return union_of([shape_of(member, where, outer) for member in arguments], where)
    if origin is Literal:
        return literal_of(annotation, arguments, where)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple_of(shape_of(arguments[0], where, outer))
    if origin is tuple:
        return fixed_tuple_of([shape_of(item, where, outer) for item in arguments])
    if origin is frozenset:
        return frozenset_of(shape_of(arguments[0], where, outer), where)
    if origin is Mapping:
        if shape_of(arguments[0], where, outer).wire is not str:
            raise DefinitionError(where, f"the keys of a Mapping must be str: {annotation!r}")
        return mapping_of(shape_of(arguments[1], where, outer))
    raise _unsupported(annotation, where)


def _annotated(inner: Any, extras: tuple[Any, ...], where: str, outer: tuple[type, ...]) -> Shape:
    shape = shape_of(inner, where, outer)
    metas = [extra for extra in extras if isinstance(extra, msgspec.Meta)]
    if not metas:
        return shape
    if shape.wire is scalars.INT64:
        return dataclasses.replace(shape, wire=scalars.bounded_int(metas))
    if shape.kind == "string" and shape.wired is not shape.python:  # an enum or a Decimal
        raise DefinitionError(where, f"a constraint on {inner!r} cannot be checked")
    wire = shape.wire
    for meta in metas:
        wire = Annotated[wire, meta]
    return dataclasses.replace(shape, wire=wire)


def record_shape(cls: type, where: str, outer: tuple[type, ...] = ()) -> Shape:
    """Raises DefinitionError for a dataclass that is not frozen, comparable and plain."""
    if cls in outer:
        raise DefinitionError(where, f"{cls.__qualname__} contains itself")
    known = _shapes.get(cls)
    if known is None:
        known = _shapes[cls] = _compile(cls, where, (*outer, cls))
    return known


def hints_of(subject: Any, cls: type, where: str) -> dict[str, Any]:
    """Resolved annotations. The class's own name resolves, though no module has bound it yet."""
    try:
        return typing.get_type_hints(subject, localns={cls.__name__: cls}, include_extras=True)
    except NameError as error:
        raise DefinitionError(
            where, f"{error.name!r} is not defined here; define or import it above the class"
        ) from error
    except TypeError as error:
        raise DefinitionError(where, str(error)) from error


def _compile(cls: type, where: str, outer: tuple[type, ...]) -> Shape:
    at = cls.__qualname__
    check_plain(cls, at if len(outer) == 1 else f"{where}: {at}")
    hints = hints_of(cls, cls, at)
    fields = dataclasses.fields(cls)
    shapes = {f.name: shape_of(hints[f.name], f"{at}.{f.name}", outer) for f in fields}
    defaults: dict[str, Any] = {}
    for field in fields:
        if field.default is not dataclasses.MISSING:
            defaults[field.name] = field.default
        elif field.default_factory is not dataclasses.MISSING:
            defaults[field.name] = field.default_factory()
    return record_of(cls, shapes, defaults)


def _unsupported(annotation: Any, where: str) -> DefinitionError:
    origin = get_origin(annotation) or annotation
    for mutable, instead in INSTEAD.items():
        if origin is mutable:
            return DefinitionError(where, f"{_name(annotation)} is mutable; use {instead}")
    return DefinitionError(where, f"{_name(annotation)} has no encoding (docs/encodings.md)")


def _name(annotation: Any) -> str:
    return annotation.__qualname__ if isinstance(annotation, type) else repr(annotation)
