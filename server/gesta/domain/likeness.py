"""Whether two equal values are one and the same to whoever looks at them.

5 equals 5.0, noon in Paris equals ten o'clock in UTC, and mappings are equal in any order; but text
made of them, or a loop over them, tells them apart.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any


def identical(one: Any, other: Any) -> bool:
    """Whether equal values of a type that has an encoding are alike in every part: of one class, in
    one order, in one zone. The order of a set is nobody's, and not looked at."""
    if type(one) is not type(other):
        return False
    if isinstance(one, tuple):
        return all(map(identical, one, other))
    if isinstance(one, Mapping):
        in_order = all(map(identical, one, other))
        return in_order and all(map(identical, one.values(), other.values()))
    if isinstance(one, frozenset):
        return set(map(type, one)) == set(map(type, other))
    if isinstance(one, datetime):
        return bool(one.utcoffset() == other.utcoffset())
    if is_dataclass(one):
        return all(
            identical(getattr(one, field.name), getattr(other, field.name)) for field in fields(one)
        )
    return True
