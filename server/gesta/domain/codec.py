"""Values to JSON and back, so that what comes back is what went in or an error."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from gesta.domain.errors import DefinitionError, InvalidArgument, Malformed, Unserialisable
from gesta.domain.likeness import identical
from gesta.domain.record import ENCODER, wire_struct
from gesta.domain.shape import Shape

KEEPER = msgspec.json.Encoder()
"""Writes mappings in the order that they have."""

DETAIL_CHARS_MAX = 200
"""A detail may quote the caller's own bytes; it must fit beside others in 4 KiB of status."""


class Codec:
    """One type's encoding. `what` names the type in errors. Slotted, for it is on the hot path."""

    __slots__ = ("_decode", "_lift", "_lower", "shape", "what")

    def __init__(self, shape: Shape, what: str) -> None:
        self.what = what
        self.shape = shape
        self._decode = _decoder(shape.wire, what)
        self._lift = shape.lift
        self._lower = shape.lower

    def decode(self, data: bytes) -> Any:
        """Raises Malformed for whatever is not exactly this type's JSON."""
        try:
            wire = self._decode(data)
            return wire if self._lift is None else self._lift(wire)
        except Exception as error:  # an author's __post_init__ may raise anything
            raise malformed(error) from error

    def encode(self, value: Any) -> tuple[bytes, Any]:
        """The bytes, and the value as every later reader will see it.

        Raises Unserialisable unless that equals the value: msgspec alone would write NaN as null
        and a str where an int is declared.
        """
        try:
            lowered = value if self._lower is None else self._lower(value)
            data = ENCODER.encode(lowered)
            wire = self._decode(data)
            seen = wire if self._lift is None else self._lift(wire)
            same = bool(seen == value)
        except Exception as error:
            raise Unserialisable(self.what, str(error)) from error
        if not same:
            raise Unserialisable(self.what, f"{value!r} is read back as {seen!r}")
        return data, seen

    def keep(self, value: Any) -> bytes:
        """Bytes of which `decode` makes the very same value, the order of mappings included.

        Raises Unserialisable where it would be an equal one only: an int where a float is declared,
        a time of another zone.
        """
        self.encode(value)  # raises for what is not even equal
        data = KEEPER.encode(value if self._lower is None else self._lower(value))
        seen = self.decode(data)
        if not identical(value, seen):
            raise Unserialisable(self.what, f"{value!r} is read back as {seen!r}")
        return data


class ArgumentsCodec:
    """The arguments of one command or query: a JSON object by parameter name."""

    __slots__ = ("_codecs", "_decode", "_lifts", "what", "wire")

    def __init__(
        self, what: str, module: str, shapes: dict[str, Shape], defaults: dict[str, Any]
    ) -> None:
        self.what = what
        name = what.rsplit(".", 1)[-1] + "_arguments"
        self.wire = wire_struct(name, module, shapes, defaults, what)
        self._decode = _decoder(self.wire, what)
        self._lifts = [(name, shape.lift) for name, shape in shapes.items() if shape.lift]
        self._codecs = {name: Codec(shape, f"{what}({name})") for name, shape in shapes.items()}

    def decode(self, data: bytes) -> dict[str, Any]:
        """Defaults are filled in; empty bytes mean {}. Raises InvalidArgument."""
        name = ""
        try:
            arguments = msgspec.structs.asdict(self._decode(data or b"{}"))
            for name, lift in self._lifts:
                arguments[name] = lift(arguments[name])
        except Exception as error:
            found = malformed(error)
            raise InvalidArgument(found.field or name, found.detail) from error
        return arguments

    def encode(self, arguments: Mapping[str, Any]) -> bytes:
        """For callers; only what is given is written. Raises InvalidArgument like decode."""
        parts: dict[str, msgspec.Raw] = {}
        for name, value in arguments.items():
            codec = self._codecs.get(name)
            if codec is None:
                raise InvalidArgument(name, f"{self.what} has no such argument")
            try:
                parts[name] = msgspec.Raw(codec.encode(value)[0])
            except Unserialisable as error:
                raise InvalidArgument(name, error.detail) from error
        data = ENCODER.encode(parts)
        self.decode(data)
        return data


def _decoder(wire: Any, what: str) -> Callable[[bytes], Any]:
    try:
        return msgspec.json.Decoder(wire).decode
    except TypeError as error:  # for example a constraint that does not go with its type
        raise DefinitionError(what, str(error)) from error


def malformed(error: Exception) -> Malformed:
    """What a decoder or a constructor raised, as a path and a sentence."""
    if isinstance(error, RecursionError):
        return Malformed("", "nested too deeply")
    text = str(error)
    detail, at, path = text.rpartition(" - at `$")
    if not at:
        detail, path = text, ""
    field = path.removesuffix("`").removeprefix(".")
    named = _NAMED_FIELD.match(detail)
    if named:
        field = f"{field}.{named[2]}" if field else named[2]
    return Malformed(field[:DETAIL_CHARS_MAX], detail[:DETAIL_CHARS_MAX])


_NAMED_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`$", re.DOTALL)
