"""What cannot be hosted is refused where it is written, and the error says what and where."""

from collections.abc import Iterator, Mapping
from dataclasses import InitVar, dataclass, field
from enum import Enum, Flag
from typing import Annotated, Any, Generic, Literal, TypeVar

import msgspec
import pytest
from tests.unit.domain.refused import Happened, NotAnEvent, Other, refusal

from gesta.domain import (
    aggregate,
    event,
)
from gesta.domain.annotation import shape_of

T = TypeVar("T")


@event("Happened")
class Twin:
    pass


@dataclass
class Mutable:
    x: int = 0


@dataclass(frozen=True)
class Holder:
    mutable: Mutable = field(default_factory=Mutable)


@dataclass(frozen=True, eq=False)
class Incomparable:
    x: int = 0


@dataclass(frozen=True)
class Tree:
    children: "tuple[Tree, ...]" = ()


@dataclass(frozen=True)
class Box(Generic[T]):
    content: T


@dataclass(frozen=True)
class WithInitVar:
    x: InitVar[int] = 0


@dataclass(frozen=True)
class Hidden:
    _x: int = 0


@dataclass(frozen=True)
class Derived:
    x: int = field(default=0, init=False)


class Permission(Flag):
    READ = 1


class Empty(Enum):
    pass


def evolve(self: Any, event: Happened) -> "Thing":  # type: ignore[name-defined]  # noqa: F821
    return self


MUTABLE: list[tuple[Any, str]] = [
    (list[int], "mutable"),
    (dict[str, int], "mutable"),
    (set[int], "mutable"),
    (bytearray, "mutable"),
    (Mutable, "mutable"),
    (Holder, "mutable"),
    (tuple[list[int], ...], "mutable"),
    (Mapping[str, set[int]], "mutable"),
]
UNSUPPORTED: list[tuple[Any, str]] = [
    (Any, "no encoding"),
    (object, "no encoding"),
    (complex, "no encoding"),
    (Iterator[int], "no encoding"),
    (tuple, "no encoding"),
    (Mapping[int, str], "keys"),
    (int | str | bytes, "both a JSON string"),
    (int | Tree, "contains itself"),
    (Box[int], "no encoding"),
    (Box, "generic"),
    (Incomparable, "compared"),
    (WithInitVar, "InitVar"),
    (Hidden, "starts with a letter"),
    (Derived, "init=False"),
    (Permission, "name per value"),
    (Empty, "name per value"),
    (frozenset[tuple[int, ...]], "no order"),
    (frozenset[int | str], "no order"),
    (Literal["a", 1], "all str or all int"),
    (Annotated[Enum, msgspec.Meta(min_length=1)], "name per value"),
]


@pytest.mark.parametrize(("annotation", "what"), MUTABLE + UNSUPPORTED, ids=str)
def test_a_type_without_an_encoding_is_refused_and_named(annotation: Any, what: str) -> None:
    error = refusal(lambda: shape_of(annotation, "Thing.field"))
    assert what in error.what


@pytest.mark.parametrize(("annotation", "what"), MUTABLE, ids=str)
def test_a_mutable_state_field_is_refused(annotation: Any, what: str) -> None:
    body = {"__annotations__": {"items": annotation}, "items": None, "evolve": evolve}
    error = refusal(lambda: aggregate("Thing")(type("Thing", (), body)))
    assert what in error.what


@pytest.mark.parametrize("make", [event("Odd"), aggregate("Odd")])
def test_a_mutable_default_is_refused(make: Any) -> None:
    body = {"__annotations__": {"items": Mapping[str, int]}, "items": {}, "evolve": evolve}
    error = refusal(lambda: make(type("Odd", (), body)))
    assert error.where == "Odd.items"
    assert error.what == "a mutable default; use a Mapping with field(default_factory=dict)"


def test_a_constraint_that_does_not_go_with_its_type_is_refused() -> None:
    def define() -> object:
        @event("Odd")
        class Odd:
            name: Annotated[str, msgspec.Meta(ge=1)]

        return Odd

    assert "Odd" in refusal(define).where


def test_a_state_field_without_default_is_refused() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            count: int

            def evolve(self, event: Happened) -> "Thing":
                return self

        return Thing

    assert refusal(define).where.endswith("Thing.count")


def test_a_default_of_another_type_is_refused() -> None:
    def define() -> object:
        @event("Odd")
        class Odd:
            amount: int = "5"  # type: ignore[assignment]

        return Odd

    error = refusal(define)
    assert error.where.endswith("Odd.amount")
    assert "'5'" in error.what


def test_an_aggregate_without_evolve_is_refused() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            count: int = 0

        return Thing

    assert refusal(define).where.endswith("Thing.evolve")


def test_evolve_over_something_that_is_not_an_event_is_refused() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            def evolve(self, event: Happened | NotAnEvent) -> "Thing":
                return self

        return Thing

    assert "NotAnEvent" in refusal(define).what


def test_two_events_of_one_name_are_refused() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            def evolve(self, event: Happened | Twin) -> "Thing":
                return self

        return Thing

    assert "both named 'Happened'" in refusal(define).what


def test_an_event_that_evolve_does_not_handle_is_refused() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            def evolve(self, event: Happened | Other) -> "Thing":
                match event:  # type: ignore[exhaustive-match,unused-ignore]
                    case Happened():
                        return self
                return self

        return Thing

    assert refusal(define).what == "no case handles Other"


def test_a_wildcard_that_only_fails_handles_nothing() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            def evolve(self, event: Happened | Other) -> "Thing":
                match event:
                    case Happened():
                        return self
                    case _:
                        raise NotImplementedError

        return Thing

    assert refusal(define).what == "no case handles Other"


def test_a_wildcard_that_does_something_handles_the_rest() -> None:
    @aggregate("Thing")
    class Thing:
        def evolve(self, event: Happened | Other) -> "Thing":
            match event:
                case Happened():
                    return self
                case _:
                    return Thing()

    assert Thing() == Thing()


def test_an_event_handled_by_isinstance_beside_the_match_is_handled() -> None:
    @aggregate("Thing")
    class Thing:
        def evolve(self, event: Happened | Other) -> "Thing":
            if isinstance(event, Other):
                return self
            match event:
                case Happened() as happened:
                    return self if happened.amount else Thing()

    assert Thing() == Thing()


def test_evolve_must_return_the_aggregate() -> None:
    def define() -> object:
        @aggregate("Thing")
        class Thing:
            def evolve(self, event: Happened) -> int:
                return 0

        return Thing

    assert "return" in refusal(define).what


@pytest.mark.parametrize("name", ["", "1st", "_x", "a b", "é", "x" * 101, "a/b", "a\n"])
def test_a_name_that_could_not_be_stored_is_refused(name: str) -> None:
    refusal(lambda: event(name)(type("Any", (), {})))
    refusal(lambda: aggregate(name)(type("Any", (), {})))


@pytest.mark.parametrize("decorator", [aggregate, event])
def test_a_decorator_without_its_name_says_how_to_write_it(decorator: Any) -> None:
    name = decorator.__name__
    assert refusal(lambda: decorator(type("Claim", (), {}))).what == f'write @{name}("Claim")'


def test_the_name_that_stands_for_the_server_itself_is_refused_for_a_type() -> None:
    assert "server's own" in refusal(lambda: aggregate("gesta")(type("Any", (), {}))).what


@pytest.mark.parametrize("version", [0, -1, 2**31, "1"])
def test_a_schema_version_is_a_positive_int32(version: Any) -> None:
    refusal(lambda: event("Odd", version=version)(type("Odd", (), {})))
