"""Arguments as they are written on a command line, as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure

Schema = Mapping[str, Any]
"""A JSON Schema."""

_NAMES_OF_TYPES: Mapping[type, tuple[str, ...]] = {
    type(None): ("null",),
    bool: ("boolean",),
    int: ("integer", "number"),
    float: ("number",),
    str: ("string",),
    list: ("array",),
    dict: ("object",),
}


def needs_schema(words: Sequence[str]) -> bool:
    """Whether `parse_arguments` would make use of one."""
    return bool(words) and not _is_object(words)


def parse_arguments(words: Sequence[str], schema: Schema | None) -> dict[str, msgspec.Raw]:
    """From name=value words, or from one word that is a JSON object. Raises Failure.

    A value is JSON if it parses, else a string: amount=5, open=true, tags=["a"], note=hello. The
    schema, where there is one, settles what could be either: 123 for a string is "123". Values stay
    as they were written, so that the server sees every digit.
    """
    if _is_object(words):
        return _object(words[0])
    arguments: dict[str, msgspec.Raw] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise Failure(
                ExitCode.BAD_INPUT, f"{word!r} is neither name=value nor the one JSON object"
            )
        if name in arguments:
            raise Failure(ExitCode.BAD_INPUT, f"{name} is given twice")
        arguments[name] = _value(value, _types_of(name, schema))
    return arguments


def parse_pairs(words: Sequence[str], option: str) -> dict[str, str]:
    """Plain text by key, for an option that is given as key=value. Raises Failure."""
    pairs: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise Failure(ExitCode.BAD_INPUT, f"{option}: {word!r} is not key=value")
        pairs[key] = value
    return pairs


def parse_time(text: str, option: str) -> datetime:
    """ISO 8601; without a zone it is a time of this machine. Raises Failure."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise Failure(
            ExitCode.BAD_INPUT, f"{option}: {text!r} is no time such as 2026-11-24T10:00:00Z"
        ) from None


def resolved(schema: Schema, definitions: Mapping[str, Schema]) -> Schema:
    """The schema itself, where this one only names it."""
    reference = schema.get("$ref")
    return schema if reference is None else definitions[reference.removeprefix("#/$defs/")]


def _is_object(words: Sequence[str]) -> bool:
    return len(words) == 1 and words[0].lstrip().startswith("{")


def _object(text: str) -> dict[str, msgspec.Raw]:
    try:
        return msgspec.json.decode(text, type=dict[str, msgspec.Raw])
    except (msgspec.DecodeError, RecursionError) as error:
        raise Failure(ExitCode.BAD_INPUT, f"the arguments are not a JSON object: {error}") from None


def _value(text: str, types: set[str]) -> msgspec.Raw:
    try:
        kind = type(msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError):
        return _string(text)
    if "string" in types and not types.intersection(_NAMES_OF_TYPES[kind]):
        return _string(text)
    return msgspec.Raw(text.encode())


def _string(text: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(text))


def _types_of(name: str, schema: Schema | None) -> set[str]:
    """The JSON types that an argument may have; empty where nothing is known of it."""
    if schema is None:
        return set()
    definitions = schema.get("$defs", {})
    properties = resolved(schema, definitions).get("properties", {})
    return set(_types(properties.get(name, {}), definitions))


def _types(schema: Schema, definitions: Mapping[str, Schema]) -> Iterator[str]:
    schema = resolved(schema, definitions)
    for each in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        yield from _types(each, definitions)
    named = schema.get("type", ())
    yield from (named,) if isinstance(named, str) else named
    values = (*schema.get("enum", ()), *((schema["const"],) if "const" in schema else ()))
    for value in values:
        yield from _NAMES_OF_TYPES[type(value)]
