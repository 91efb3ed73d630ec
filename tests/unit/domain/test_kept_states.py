"""A state that a snapshot kept is the very one that was kept, or it is not kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.test_encodings import (
    CASES,
    NOON,
    PARIS,
    REPEATABLE,
    Level,
    Mode,
    Point,
    Visit,
    codec_of,
)

from gesta.domain.errors import Unserialisable
from gesta.domain.likeness import identical

TEXTS = st.text(max_size=3)
VISIT = Visit(at=NOON)


@pytest.mark.parametrize(("name", "annotation", "value"), CASES, ids=[case[0] for case in CASES])
def test_what_is_kept_comes_back_the_very_same(name: str, annotation: Any, value: Any) -> None:
    codec = codec_of(annotation)
    assert identical(codec.decode(codec.keep(value)), value)


@REPEATABLE
@given(st.dictionaries(TEXTS, st.dictionaries(TEXTS, st.integers(0, 9))))
def test_mappings_keep_their_order(value: dict[str, dict[str, int]]) -> None:
    codec = codec_of(Mapping[str, Mapping[str, int]])
    kept = codec.decode(codec.keep(value))
    assert repr(kept) == repr(value)


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (float, 5),
        (float | None, 5),
        (str, Mode.FAST),
        (int, Level.LOW),
        (datetime, NOON.astimezone(PARIS)),
        (tuple[float, ...], (1.0, 2)),
        (tuple[str, float], ("a", 2)),
        (frozenset[float], frozenset({1.0, 2})),
        (Mapping[str, float], {"a": 1}),
        (Mapping[str, int], OrderedDict(a=1)),
        (Mapping[str, int], {Mode.FAST: 1}),
        (Visit, replace(VISIT, at=NOON.astimezone(PARIS))),
        (Visit, replace(VISIT, tags=OrderedDict(a=Level.LOW))),
    ],
    ids=repr,
)
def test_what_would_only_be_equal_is_not_kept(annotation: Any, value: Any) -> None:
    codec = codec_of(annotation)
    codec.encode(value)  # for readers it will do
    with pytest.raises(Unserialisable, match="is read back as"):
        codec.keep(value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Point(1), Point(1)),
        (Decimal("1.50"), Decimal("1.50")),
        (NOON, datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=UTC)),
        (frozenset({"a", "b", "c"}), frozenset({"c", "b", "a"})),
    ],
)
def test_what_is_alike_in_every_part_is_identical(one: Any, other: Any) -> None:
    assert identical(one, other)
