"""Every type of docs/encodings.md, against bytes that must still be read in ten years."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum, auto
from pathlib import Path
from typing import Annotated, Any, Literal, NewType
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesta.domain.annotation import shape_of
from gesta.domain.codec import Codec
from gesta.domain.errors import Malformed, Unserialisable
from gesta.testing.strategies import strategy_of

GOLDEN = Path(__file__).parents[2] / "golden" / "encodings.json"


REPEATABLE = settings(derandomize=True, database=None, deadline=None)


class Colour(Enum):
    RED = 1
    BLUE = "b"


class Level(IntEnum):
    LOW = 10
    HIGH = 20


class Mode(StrEnum):
    FAST = auto()


class Reason(StrEnum):
    TOO_LATE = "TOO_LATE"


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0


@dataclass(frozen=True, kw_only=True)
class Visit:
    at: datetime
    colour: Colour | None = None
    point: Point = Point(1, 2)
    tags: Mapping[str, Level] = field(default_factory=dict)


UserId = NewType("UserId", str)
PARIS = timezone(timedelta(hours=2))
NOON = datetime(2026, 1, 2, 12, 0, 0, 5, tzinfo=UTC)

CASES: list[tuple[str, Any, Any]] = [
    ("null", None, None),
    ("true", bool, True),
    ("int", int, 42),
    ("int64_max", int, 2**63 - 1),
    ("int64_min", int, -(2**63)),
    ("float", float, 0.1),
    ("float_whole", float, 5.0),
    ("float_large", float, 1e300),
    ("float_negative_zero", float, -0.0),
    ("str", str, 'grüße \u2028 "\n" \U0001f600 /'),
    ("bytes", bytes, b"\x00\xff gesta"),
    ("decimal", Decimal, Decimal("1.50")),
    ("decimal_exponent", Decimal, Decimal("-1E+3")),
    ("uuid", UUID, UUID(int=0x0190_0000_0000_7000_8000_0000_0000_0001)),
    ("date", date, date(2026, 1, 2)),
    ("time", time, time(3, 4, 5, 6)),
    ("datetime", datetime, NOON),
    ("datetime_before_1970", datetime, datetime(1, 1, 1, tzinfo=UTC)),
    ("timedelta", timedelta, timedelta(days=1, seconds=2, microseconds=3)),
    ("timedelta_negative", timedelta, timedelta(days=-1, microseconds=1)),
    ("timedelta_zero", timedelta, timedelta(0)),
    ("enum_int_value", Colour, Colour.RED),
    ("enum_int", Level, Level.HIGH),
    ("enum_str_auto", Mode, Mode.FAST),
    ("enum_str_same", Reason, Reason.TOO_LATE),
    ("literal_str", Literal["a", "b"], "b"),
    ("literal_int", Literal[1, 2], 2),
    ("new_type", UserId, UserId("u-1")),
    ("annotated", Annotated[int, msgspec.Meta(gt=0)], 1),
    ("optional_none", int | None, None),
    ("optional_enum", Colour | None, Colour.BLUE),
    ("union", int | str | None, "5"),
    ("union_lifted", Decimal | int | Point, Decimal("5")),
    ("tuple", tuple[int, ...], (3, 1, 2)),
    ("tuple_fixed", tuple[str, Colour], ("a", Colour.RED)),
    ("tuple_lifted", tuple[Decimal, ...], (Decimal("1.0"), Decimal("2"))),
    ("frozenset", frozenset[str], frozenset({"b", "a", "c"})),
    ("frozenset_enum", frozenset[Level], frozenset({Level.LOW, Level.HIGH})),
    ("frozenset_uuid", frozenset[UUID], frozenset({UUID(int=2), UUID(int=1)})),
    ("frozenset_bytes", frozenset[bytes], frozenset({b"b", b"a"})),
    ("mapping", Mapping[str, int], {"b": 1, "a": 2}),
    ("mapping_lifted", Mapping[str, Colour], {"b": Colour.RED, "a": Colour.BLUE}),
    ("record", Point, Point(7)),
    ("record_lifted", Visit, Visit(at=NOON, colour=Colour.RED, tags={"z": Level.LOW})),
]


def codec_of(annotation: Any) -> Codec:
    return Codec(shape_of(annotation, "here"), "here")


def golden() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(("name", "annotation", "value"), CASES, ids=[case[0] for case in CASES])
def test_a_value_is_written_as_it_was_written_first(name: str, annotation: Any, value: Any) -> None:
    data, seen = codec_of(annotation).encode(value)
    assert golden()[name] == data.decode()
    assert seen == value
    assert type(seen) is type(value)


@pytest.mark.parametrize(("name", "annotation", "value"), CASES, ids=[case[0] for case in CASES])
def test_what_was_written_first_is_still_read(name: str, annotation: Any, value: Any) -> None:
    assert codec_of(annotation).decode(golden()[name].encode()) == value


def test_every_golden_encoding_has_its_case() -> None:
    assert set(golden()) == {name for name, _, _ in CASES}


def test_a_time_with_an_offset_is_the_same_instant_in_utc() -> None:
    codec = codec_of(datetime)
    data, seen = codec.encode(NOON.astimezone(PARIS))
    assert data == b'"2026-01-02T12:00:00.000005Z"'
    assert seen.tzinfo is UTC
    assert codec.decode(b'"2026-01-02T14:00:00.000005+02:00"').tzinfo is UTC


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (int, "5"),
        (int, True),
        (int, 5.0),
        (int, 2**63),
        (int, -(2**63) - 1),
        (float, float("nan")),
        (float, float("inf")),
        (float | None, float("nan")),
        (str, 5),
        (str, "\ud800"),
        (bytes, "YQ=="),
        (Decimal, 1.5),
        (Decimal, 1),
        (Decimal, Decimal("NaN")),
        (Decimal, Decimal("Infinity")),
        (Decimal, Decimal("1E+99999")),
        (datetime, datetime(2026, 1, 1)),  # noqa: DTZ001  (naive on purpose)
        (datetime, "2026-01-01T00:00:00Z"),
        (time, time(1, tzinfo=UTC)),
        (Colour, "RED"),
        (Colour, Level.LOW),
        (Decimal | int, 1.5),
        (tuple[int, ...], [1, 2]),
        (tuple[Decimal, ...], [Decimal(1)]),
        (tuple[int, str], (1,)),
        (frozenset[int], {1, 2, "3"}),
        (Mapping[str, int], {1: 1}),
        (Point, Visit(at=NOON)),
        (Point, {"x": 1, "y": 2}),
        (Visit, Point(1)),
        (Literal["a"], "b"),
        (Annotated[int, msgspec.Meta(gt=0)], 0),
        (None, 1),
    ],
)
def test_a_value_that_is_not_of_its_type_is_not_written(annotation: Any, value: Any) -> None:
    with pytest.raises(Unserialisable):
        codec_of(annotation).encode(value)


@pytest.mark.parametrize(
    ("annotation", "value", "told"),
    [
        (Decimal, 1.5, "expected Decimal, got float"),
        (Decimal, 1, "expected Decimal, got int"),
        (datetime, date(2026, 1, 1), "expected datetime, got date"),
        (tuple[Decimal, ...], ("1.5",), "expected Decimal, got str"),
    ],
    ids=str,
)
def test_a_value_of_another_type_is_told_with_both_types(
    annotation: Any, value: Any, told: str
) -> None:
    with pytest.raises(Unserialisable, match=told):
        codec_of(annotation).encode(value)


@pytest.mark.parametrize(
    ("annotation", "data"),
    [
        (int, b"1.0"),
        (int, b'"1"'),
        (int, b"9223372036854775808"),
        (float, b"null"),
        (bool, b"1"),
        (Decimal, b"1.5"),
        (Decimal, b'"nan"'),
        (datetime, b"1767225600"),
        (datetime, b'"2026-01-01T00:00:00"'),
        (datetime, b'"0001-01-01T00:00:00+02:00"'),
        (Colour, b"1"),
        (Colour, b'"b"'),
        (Mode, b'"fast"'),
        (Point, b'{"x":1,"z":2}'),
        (Point, b"[1,2]"),
        (Visit, b'{"colour":"RED"}'),
        (tuple[int, ...], b"[1,[]]"),
    ],
)
def test_bytes_that_are_not_of_the_type_are_not_read(annotation: Any, data: bytes) -> None:
    with pytest.raises(Malformed):
        codec_of(annotation).decode(data)


@pytest.mark.parametrize(
    "annotation",
    [
        int,
        float,
        str,
        bytes,
        Decimal,
        UUID,
        date,
        time,
        datetime,
        timedelta,
        frozenset[date],
        Mapping[str, float | None],
        Visit,
        tuple[Point, Colour, Decimal | int | None],
        Annotated[str, msgspec.Meta(min_length=1, max_length=3)],
    ],
    ids=str,
)
def test_any_value_of_a_type_survives(annotation: Any) -> None:
    codec = codec_of(annotation)

    @REPEATABLE
    @given(strategy_of(annotation))
    def survives(value: Any) -> None:
        data, seen = codec.encode(value)
        assert value == seen
        assert data == codec.encode(seen)[0]

    survives()


def test_equal_mappings_and_sets_are_equal_bytes() -> None:
    one, other = {"a": 1, "b": 2}, {"b": 2, "a": 1}
    assert (
        codec_of(Mapping[str, int]).encode(one)[0] == codec_of(Mapping[str, int]).encode(other)[0]
    )


def test_the_fields_of_a_record_stand_in_the_order_of_the_class() -> None:
    assert codec_of(Point).encode(Point(2, 1))[0] == b'{"x":2,"y":1}'


@REPEATABLE
@given(
    st.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=3)
)
def test_a_decimal_keeps_its_digits(value: Decimal) -> None:
    codec = codec_of(Decimal)
    assert str(codec.decode(codec.encode(value)[0])) == str(value)
