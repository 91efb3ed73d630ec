"""The scalars whose encoding needs more than msgspec's own: int64, decimals and times."""

from datetime import UTC, datetime, time
from decimal import Decimal
from typing import Annotated, Any

import msgspec

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1
INT64 = Annotated[int, msgspec.Meta(ge=INT64_MIN, le=INT64_MAX)]
"""Other languages read our JSON into 64 bits; a larger integer would change there in silence."""

NAIVE_TIME = Annotated[time, msgspec.Meta(tz=False)]
AWARE_TIME = Annotated[datetime, msgspec.Meta(tz=True)]

DECIMAL_CHARS_MAX = 128
"""More digits than any currency or measure; it keeps a hostile decimal from being expensive."""
DECIMAL_TEXT = Annotated[
    str,
    msgspec.Meta(
        # At most four digits of exponent: int(Decimal("1e999999999")) would never return.
        pattern=r"^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?$",
        max_length=DECIMAL_CHARS_MAX,
    ),
]


def bounded_int(metas: list[msgspec.Meta]) -> Any:
    """An int with the author's constraints, and int64 at the ends they leave open."""
    low = any(meta.ge is not None or meta.gt is not None for meta in metas)
    high = any(meta.le is not None or meta.lt is not None for meta in metas)
    wire: Any = int
    for meta in metas:
        wire = Annotated[wire, meta]
    if not low:
        wire = Annotated[wire, msgspec.Meta(ge=INT64_MIN)]
    if not high:
        wire = Annotated[wire, msgspec.Meta(le=INT64_MAX)]
    return wire


def as_utc(moment: datetime) -> datetime:
    """The same instant in UTC, so that one instant is one text. Refuses a naive datetime."""
    try:
        if moment.tzinfo is UTC:
            return moment
    except AttributeError:  # a date, say
        raise TypeError(f"expected datetime, got {type(moment).__qualname__}") from None
    if moment.utcoffset() is None:
        raise ValueError("a datetime without a time zone is not an instant")
    return moment.astimezone(UTC)


def text_of_decimal(value: Decimal) -> str:
    """Its digits as they stand: 1.50 stays 1.50. Refuses NaN and the infinities."""
    try:
        finite = value.is_finite()
    except AttributeError:  # a float or an int, say
        raise TypeError(f"expected Decimal, got {type(value).__qualname__}") from None
    if not finite:
        raise ValueError(f"{value} is not a number")
    return str(value)
