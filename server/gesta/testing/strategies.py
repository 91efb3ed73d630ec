"""From a type hint to a Hypothesis strategy: only values that have an encoding."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from gesta.domain.annotation import hints_of
from gesta.domain.scalars import INT64_MAX, INT64_MIN

Strategy = st.SearchStrategy[Any]

ITEMS_MAX = 5
"""Of a drawn tuple, set or mapping: longer ones find few bugs and make every example slow."""

SCALARS: Mapping[Any, Strategy] = {
    None: st.none(),
    types.NoneType: st.none(),
    bool: st.booleans(),
    int: st.integers(INT64_MIN, INT64_MAX),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(),
    bytes: st.binary(),
    UUID: st.uuids(),
    date: st.dates(),
    time: st.times(),
    timedelta: st.timedeltas(),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=2),
}


def strategy_of(annotation: Any) -> Strategy:
    """Raises TypeError for a type without an encoding."""
    while isinstance(annotation, typing.NewType):
        annotation = annotation.__supertype__
    if hasattr(annotation, "__value__"):
        return strategy_of(annotation.__value__)
    if get_origin(annotation) is not None:
        return _parametrised(annotation)
    if annotation in SCALARS:
        return SCALARS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(annotation)
    if isinstance(annotation, type) and dataclasses.is_dataclass(annotation):
        hints = hints_of(annotation, annotation, annotation.__qualname__)
        fields = dataclasses.fields(annotation)
        return st.builds(annotation, **{f.name: strategy_of(hints[f.name]) for f in fields})
    raise TypeError(f"no strategy for {annotation!r}")


def _parametrised(annotation: Any) -> Strategy:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        metas = [extra for extra in arguments[1:] if isinstance(extra, msgspec.Meta)]
        return _constrained(arguments[0], metas)
    if origin is Union or origin is types.UnionType:
        return st.one_of([strategy_of(member) for member in arguments])
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return st.lists(strategy_of(arguments[0]), max_size=ITEMS_MAX).map(tuple)
    if origin is tuple:
        return st.tuples(*[strategy_of(item) for item in arguments])
    if origin is frozenset:
        return st.frozensets(strategy_of(arguments[0]), max_size=ITEMS_MAX)
    if origin is Mapping:
        return st.dictionaries(st.text(), strategy_of(arguments[1]), max_size=ITEMS_MAX)
    raise TypeError(f"no strategy for {annotation!r}")


def _constrained(inner: Any, metas: list[msgspec.Meta]) -> Strategy:
    """Bounds narrow the strategy; msgspec itself filters for what else a Meta may say."""
    constrained = inner
    for meta in metas:
        constrained = Annotated[constrained, meta]
    return _narrowed(inner, metas).filter(lambda value: _allowed(value, constrained))


def _narrowed(inner: Any, metas: list[msgspec.Meta]) -> Strategy:
    bounds: dict[str, Any] = {}
    for meta in metas:
        for name in ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern"):
            if getattr(meta, name) is not None:
                bounds[name] = getattr(meta, name)
    low = bounds.get("ge", bounds.get("gt"))
    high = bounds.get("le", bounds.get("lt"))
    if inner is int:
        low = INT64_MIN if low is None else low
        return st.integers(low, INT64_MAX if high is None else high)
    if inner is float:
        return st.floats(low, high, allow_nan=False, allow_infinity=False)
    if inner is str and "pattern" in bounds:
        return st.from_regex(bounds["pattern"])
    if inner is str:
        return st.text(min_size=bounds.get("min_length", 0), max_size=bounds.get("max_length"))
    return strategy_of(inner)


def _allowed(value: Any, constrained: Any) -> bool:
    try:
        msgspec.convert(value, constrained)
    except msgspec.ValidationError:
        return False
    return True
