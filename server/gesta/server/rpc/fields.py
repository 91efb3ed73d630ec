"""The fields that requests have in common: the form of each, checked.

A check raises InvalidRequest with the field's name as the contract spells it.
"""

import unicodedata

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from gesta.engine.errors import InvalidRequest

TYPE_CHARS_MAX = 100
ID_BYTES_MAX = 255
NAME_CHARS_MAX = 100
REFERENCE_BYTES_MAX = 128

_TIMESTAMP_SECONDS_MAX = 253_402_300_799  # the year 9999, where a Timestamp ends
_TIMESTAMP_SECONDS_MIN = -62_135_596_800  # the year 1, where it begins

_object = msgspec.json.Decoder(dict[str, object]).decode


def check_type(text: str, field: str) -> str:
    """A name: of an aggregate or event type."""
    if not 0 < len(text) <= TYPE_CHARS_MAX:
        raise InvalidRequest(field, f"must have 1 to {TYPE_CHARS_MAX} characters")
    return _check_characters(text, field)


def check_id(text: str, field: str) -> str:
    """An aggregate's id."""
    if not 0 < len(text) <= ID_BYTES_MAX or len(text.encode()) > ID_BYTES_MAX:
        raise InvalidRequest(field, f"must have 1 to {ID_BYTES_MAX} bytes of UTF-8")
    return _check_characters(text, field)


def check_reference(text: str, field: str) -> str | None:
    """An optional id of something else; None for the empty string."""
    if not text:
        return None
    if len(text.encode()) > REFERENCE_BYTES_MAX:
        raise InvalidRequest(field, f"must have at most {REFERENCE_BYTES_MAX} bytes")
    return _check_characters(text, field)


def check_version(version: int, field: str) -> int:
    """An expected version."""
    if version < 0:
        raise InvalidRequest(field, "must not be negative")
    return version


def check_object(data: bytes, field: str) -> None:
    """A payload: a JSON object in UTF-8, which nothing later will look into again."""
    try:
        _object(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(field, f"must be a JSON object: {error}") from None


def time_us(timestamp: Timestamp, field: str) -> int:
    """A Timestamp as microseconds since 1970; what is finer is cut off."""
    if not (
        _TIMESTAMP_SECONDS_MIN <= timestamp.seconds <= _TIMESTAMP_SECONDS_MAX
        and 0 <= timestamp.nanos < 1_000_000_000
    ):
        raise InvalidRequest(field, "is not a time between the years 1 and 9999")
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000


def _check_characters(text: str, field: str) -> str:
    if text.isascii():
        fine = text.isprintable()
    else:
        fine = not any(unicodedata.category(character) == "Cc" for character in text)
    if not fine:
        raise InvalidRequest(field, "must not contain control characters")
    return text
