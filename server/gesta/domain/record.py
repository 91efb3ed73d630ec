"""The shape of a frozen dataclass: a JSON object that refuses unknown fields."""

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from gesta.domain.errors import DefinitionError
from gesta.domain.shape import Convert, Shape

T = TypeVar("T")

ENCODER = msgspec.json.Encoder(order="deterministic")
"""Mappings and sets are written sorted: equal values are equal bytes."""

INSTEAD_OF_DEFAULT: dict[type, str] = {
    list: "a tuple",
    set: "a frozenset",
    dict: "a Mapping with field(default_factory=dict)",
    bytearray: "bytes",
}


def frozen(cls: type[T]) -> type[T]:
    """The class as a frozen, slotted dataclass. Raises DefinitionError."""
    for name in vars(cls).get("__annotations__", ()):
        instead = INSTEAD_OF_DEFAULT.get(type(vars(cls).get(name)))
        if instead is not None:  # dataclasses would advise a default_factory, and lead astray
            raise DefinitionError(f"{cls.__qualname__}.{name}", f"a mutable default; use {instead}")
    try:
        return dataclasses.dataclass(frozen=True, slots=True)(cls)
    except (TypeError, ValueError) as error:  # for example a field without default after one with
        raise DefinitionError(cls.__qualname__, str(error)) from error


def record_of(cls: type, shapes: dict[str, Shape], defaults: dict[str, Any]) -> Shape:
    """The shape of a dataclass whose fields have these shapes. Raises DefinitionError."""
    wire = wire_struct(cls.__name__, cls.__module__, shapes, defaults, cls.__qualname__)
    return Shape("object", wire, cls, wire, _lift(cls, shapes), _lower(cls, wire, shapes))


def wire_struct(
    name: str, module: str, shapes: dict[str, Shape], defaults: dict[str, Any], where: str
) -> type[msgspec.Struct]:
    """A strict struct with these fields. A default is checked and kept as its wire value."""
    fields: list[Any] = []
    for field, shape in shapes.items():
        if field.startswith("_"):
            raise DefinitionError(where, f"{field}: a name in JSON starts with a letter")
        if field in defaults:
            wire = _wire_default(shape, defaults[field], f"{where}.{field}")
            default = msgspec.field(default_factory=_always(wire))
            fields.append((field, shape.wire, default))
        else:
            fields.append((field, shape.wire))
    try:
        # kw_only lets a field without default follow one with; a wire value holds no cycles.
        return msgspec.defstruct(
            name, fields, module=module, forbid_unknown_fields=True, kw_only=True, gc=False
        )
    except TypeError as error:
        raise DefinitionError(where, str(error)) from error


def check_plain(cls: Any, where: str) -> None:
    """Raises DefinitionError for a dataclass that is not frozen, comparable and plain."""
    parameters = cls.__dataclass_params__
    if not parameters.frozen:
        raise DefinitionError(where, "the dataclass is mutable; add frozen=True")
    if not parameters.eq:
        raise DefinitionError(where, "the dataclass cannot be compared; drop eq=False")
    if getattr(cls, "__parameters__", ()):
        raise DefinitionError(where, "a generic dataclass has no one encoding")
    for field in cls.__dataclass_fields__.values():
        if field._field_type is dataclasses._FIELD_INITVAR:  # type: ignore[attr-defined]
            raise DefinitionError(where, f"{field.name} is an InitVar, which is not stored")
    for field in dataclasses.fields(cls):
        if not field.init or not field.compare:
            raise DefinitionError(where, f"{field.name}: init=False and compare=False lose it")


def _wire_default(shape: Shape, default: Any, where: str) -> Any:
    try:
        lowered = shape.lower(default) if shape.lower else default
        wire = msgspec.json.decode(ENCODER.encode(lowered), type=shape.wire)
        if (shape.lift(wire) if shape.lift else wire) != default:
            raise ValueError("it is not the same when decoded")
    except Exception as error:
        raise DefinitionError(
            where, f"the default {default!r} is no such value: {error}"
        ) from error
    return wire


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def _lift(cls: Any, shapes: dict[str, Shape]) -> Convert:
    astuple, asdict = msgspec.structs.astuple, msgspec.structs.asdict
    lifts = {name: shape.lift for name, shape in shapes.items() if shape.lift}
    if any(field.kw_only for field in dataclasses.fields(cls)) or lifts:

        def lift_by_name(wire: msgspec.Struct) -> Any:
            values = asdict(wire)
            for name, lift in lifts.items():
                values[name] = lift(values[name])
            return cls(**values)

        return lift_by_name
    return lambda wire: cls(*astuple(wire))


def _lower(cls: type, wire: type[msgspec.Struct], shapes: dict[str, Shape]) -> Convert | None:
    if not any(shape.lower for shape in shapes.values()):
        return None
    lowers = [(name, shape.lower) for name, shape in shapes.items()]

    def lower(value: Any) -> msgspec.Struct:
        if type(value) is not cls:
            raise TypeError(f"expected {cls.__qualname__}, got {type(value).__qualname__}")
        fields = {}
        for name, convert in lowers:
            field = getattr(value, name)
            fields[name] = convert(field) if convert else field
        return wire(**fields)

    return lower
