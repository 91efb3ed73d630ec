"""What a snapshot rests on: the fields of a state, and the code that folded events into it."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from hashlib import blake2b
from inspect import isfunction
from types import CodeType, FunctionType
from typing import Annotated, Any, Literal, NewType, get_args, get_origin

import msgspec

from gesta.domain.annotation import hints_of, record_shape
from gesta.domain.event import EventType
from gesta.domain.record import ENCODER
from gesta.domain.shape import SCALARS
from gesta.domain.upcast import Upcaster

CODE_FINGERPRINT_BYTES = 16


def code_fingerprint(
    state_class: type,
    events: Mapping[str, EventType],
    steps: Iterable[Upcaster],
    snapshot_version: int,
) -> bytes:
    """Equal in every process that runs the same code; another minor version of Python is other
    code, for its bytecode is.

    Covers fields with their types and defaults, and every function in the body of the state, its
    events, and the dataclasses they hold, and the upcasters. Comments and line numbers do not
    count. What these call or read outside themselves is not covered: `snapshot_version` is for it.
    """
    parts = (
        sys.implementation.cache_tag,
        snapshot_version,
        _type(state_class),
        [
            (name, events[name].schema_version, _type(events[name].event_class))
            for name in sorted(events)
        ],
        [(s.event_type, s.from_version, sorted(s.into.items()), _value(s.function)) for s in steps],
    )
    return blake2b(repr(parts).encode(), digest_size=CODE_FINGERPRINT_BYTES).digest()


def _type(annotation: Any) -> Any:
    """An annotation as plain values, with the inside of dataclasses and the names of enums."""
    while isinstance(annotation, NewType):
        annotation = annotation.__supertype__
    if hasattr(annotation, "__value__"):
        return _type(annotation.__value__)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        metas = [repr(extra) for extra in arguments[1:] if isinstance(extra, msgspec.Meta)]
        return _type(arguments[0]), metas
    if origin is Literal:
        return arguments
    if origin is not None:
        return repr(origin), [_type(each) for each in arguments]
    if is_dataclass(annotation):
        return _record(annotation)  # type: ignore[arg-type]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return "enum", [(each.name, _value(each.value)) for each in annotation]
    return repr(annotation)


def _record(cls: type) -> Any:
    hints = hints_of(cls, cls, cls.__qualname__)
    wire = msgspec.structs.fields(record_shape(cls, cls.__qualname__).wire)
    return (
        [(each.name, _type(hints[each.name]), _default(each)) for each in wire],
        [
            (name, _value(value))
            for name, value in sorted(vars(cls).items())
            if _is_code(name, value)
        ],
    )


def _default(field: msgspec.structs.FieldInfo) -> bytes | None:
    if field.default_factory is msgspec.NODEFAULT:
        return None
    return ENCODER.encode(field.default_factory())


def _is_code(name: str, value: object) -> bool:
    """A class's functions and constants, but not the names that Python gives every class."""
    return isfunction(value) or not (name.startswith("__") and name.endswith("__"))


def _value(value: Any, outer: tuple[Any, ...] = ()) -> Any:
    """A function, or what one holds, as plain values; never an address, never an order of hashes.

    `outer` are the functions around it, for one may hold itself.
    """
    if isinstance(value, staticmethod | classmethod):
        value = value.__func__
    elif isinstance(value, property):
        value = value.fget
    if isinstance(value, tuple | list):
        return [_value(each, outer) for each in value]
    if isinstance(value, Mapping):
        return [(_value(key, outer), _value(held, outer)) for key, held in value.items()]
    if isinstance(value, frozenset | set):
        return "frozenset", sorted(repr(_value(each, outer)) for each in value)
    if isinstance(value, CodeType):
        consts = [_value(each, outer) for each in value.co_consts]
        return value.co_code, value.co_exceptiontable, value.co_names, consts
    if isfunction(value) and value not in outer:
        return _function(value, (*outer, value))
    if type(value) in SCALARS or isinstance(value, Enum | complex):
        return repr(value)
    return type(value).__qualname__


def _function(function: FunctionType, outer: tuple[Any, ...]) -> Any:
    closure = [_cell(cell, outer) for cell in function.__closure__ or ()]
    by_name = sorted((function.__kwdefaults__ or {}).items())
    held = (function.__defaults__ or (), tuple(by_name))
    return _value(function.__code__, outer), _value(held, outer), closure


def _cell(cell: Any, outer: tuple[Any, ...]) -> Any:
    try:
        return _value(cell.cell_contents, outer)
    except ValueError:  # empty: the name is not bound yet
        return "empty"
