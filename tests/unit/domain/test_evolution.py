"""Events that earlier versions of the code stored, as today's code reads them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.domain.till import TILL, Money, MoneyPaidIn, Payout, Till, TipLeft, stored_by

from gesta.domain import Upcast, aggregate, event, upcast
from gesta.domain.aggregate import AggregateType
from gesta.domain.catalog import Catalog
from gesta.domain.errors import (
    UndecodableEvent,
    UnknownEvent,
    UnreadableEvent,
    UpcastFailed,
)
from gesta.domain.evolution import PARTS_MAX, Upcasted

MOVEMENTS = st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(1, 5)), max_size=20)


def read(event_type: str, schema_version: int, payload: object) -> tuple[Any, ...]:
    return TILL.decode_events(event_type, schema_version, json.dumps(payload).encode())


def fold(events: Any) -> Till:
    state: Till = TILL.initial
    for each in events:
        state = TILL.evolve(state, each)
    return state


@settings(derandomize=True, database=None, deadline=None)
@given(MOVEMENTS)
def test_any_mix_of_five_versions_folds_like_its_current_form(
    movements: list[tuple[int, int]],
) -> None:
    stored = [stored_by(version, amount) for amount, version in movements]
    today = [stored_by(5, amount) for amount, _ in movements]
    assert fold(part for each in stored for part in read(*each)) == fold(
        part for each in today for part in read(*each)
    )


@settings(derandomize=True, database=None, deadline=None)
@given(MOVEMENTS)
def test_readers_get_the_bytes_that_todays_code_would_have_stored(
    movements: list[tuple[int, int]],
) -> None:
    for amount, version in movements:
        name, schema_version, payload = stored_by(version, amount)
        kind = Payout if amount < 0 else MoneyPaidIn
        written = TILL.event_type_of(kind(Money(abs(amount)))).encode(kind(Money(abs(amount))))[0]
        upcasted = TILL.upcast(name, schema_version, json.dumps(payload).encode())
        assert [each.data for each in upcasted] == [
            written if version < 5 else json.dumps(payload).encode()
        ]


def test_an_event_may_be_split_and_its_parts_keep_their_order() -> None:
    parts = read("MoneyMoved", 2, {"amount": -7, "tip": 2})
    assert parts == (Payout(Money(7)), TipLeft(2))
    assert TILL.upcast("MoneyMoved", 2, b'{"amount":-7,"tip":2}') == (
        Upcasted("Payout", 3, b'{"money":{"amount":7,"currency":"CZK"}}'),
        Upcasted("TipLeft", 1, b'{"amount":2}'),
    )


def test_an_event_may_be_dropped() -> None:
    assert read("Counted", 1, {"coins": 3}) == ()
    assert TILL.upcast("Counted", 1, b"{}") == ()


def test_an_event_of_today_is_handed_on_as_it_is_stored() -> None:
    data = b'{ "amount" : 2 }'
    (upcasted,) = TILL.upcast("TipLeft", 1, data)
    assert upcasted == ("TipLeft", 1, data)
    assert upcasted.data is data


def test_a_current_type_knows_the_stored_ones_that_lead_to_it() -> None:
    assert TILL.stored_types_of("MoneyPaidIn") == {"MoneyPaidIn", "MoneyMoved"}
    assert TILL.stored_types_of("Payout") == {"Payout", "MoneyPaidOut", "MoneyMoved"}
    assert TILL.stored_types_of("TipLeft") == {"TipLeft", "MoneyMoved"}
    assert TILL.stored_types_of("MoneyMoved") == TILL.stored_types_of("Nothing") == frozenset()


def test_a_stored_type_knows_what_it_is_read_as() -> None:
    assert TILL.current_types_of("MoneyMoved") == {"MoneyPaidIn", "Payout", "TipLeft"}
    assert TILL.current_types_of("MoneyPaidOut") == {"Payout"}
    assert TILL.current_types_of("Payout") == {"Payout"}
    assert TILL.current_types_of("Counted") == TILL.current_types_of("Nothing") == frozenset()


@pytest.mark.parametrize(
    ("name", "version", "error", "detail"),
    [
        ("Nothing", 1, UnknownEvent, "Till has no such event"),
        ("Payout", 4, UnknownEvent, "written by newer code: this code has version 3"),
        ("MoneyMoved", 3, UnknownEvent, "written by newer code: this code has version 2"),
        ("Payout", 0, UnknownEvent, "no upcaster reads it"),
        ("Payout", 1, UpcastFailed, "till.never_stored: LookupError: Payout began at version 2"),
        ("MoneyMoved", 1, UpcastFailed, "till.number_the_amount: KeyError: 'amt'"),
        ("MoneyPaidIn", 1, UpcastFailed, "till.wrap_the_money: UndecodableEvent"),
    ],
)
def test_what_cannot_be_read_says_which_event_and_why(
    name: str, version: int, error: type[UnreadableEvent], detail: str
) -> None:
    for reading in (TILL.decode_events, TILL.upcast):
        with pytest.raises(error) as caught:
            reading(name, version, b'{"amount":"none"}')
        assert (caught.value.event_type, caught.value.schema_version) == (name, version)
        assert detail in str(caught.value)


@pytest.mark.parametrize("data", [b"[]", b"null", b"", b"{", b"\xff", b'{"a":' + b"[" * 200_000])
def test_an_old_payload_that_is_no_json_object_is_undecodable(data: bytes) -> None:
    with pytest.raises(UndecodableEvent):
        TILL.decode_events("MoneyMoved", 1, data)


def read_by(function: Any, into: dict[str, int] | None = None) -> AggregateType:
    """A type whose event Noted version 1 is read by this function."""
    step = upcast("Noted", from_version=1, into=into)(function)

    @event("Noted", version=2)
    class Noted:
        text: str = ""
        size: float | None = None

    @event("Closed")
    class Closed:
        pass

    @aggregate("Notes", upcasters=[step])
    class Notes:
        def evolve(self, event: Noted | Closed) -> "Notes":
            return self

    return Catalog.of(Notes).types["Notes"]


RUBBISH: dict[str, tuple[Any, str]] = {
    "nothing": (None, "it returned None, not a list"),
    "a payload alone": ({"text": "a"}, "it returned a dict, not a list"),
    "an iterator": (iter([]), "it returned a list_iterator, not a list"),
    "a text": (["a"], "it gave a str where a payload"),
    "a payload that is text": ([Upcast("Noted", "a")], "it gave a str"),  # type: ignore[arg-type]
    "a type it does not lead to": ([Upcast("Closed", {})], "'Closed', which its `into`"),
    "a field too many": ([{"text": "a", "more": 1}], "more: "),
    "a field of another type": ([{"text": 5}], "text: "),
    "a number that is none": ([{"size": float("nan")}], "is not plain JSON"),
    "a tuple": ([{"text": "a", "more": (1, 2)}], "is not plain JSON"),
    "an object of no JSON type": ([{"text": object()}], "TypeError"),
    "half a letter": ([{"text": "\ud800"}], "UnicodeEncodeError"),
    "keys that are numbers": ([{1: "a"}], "is not plain JSON"),
    "more than can be read in one piece": ([{}] * (PARTS_MAX + 1), f"more than {PARTS_MAX}"),
}


@pytest.mark.parametrize(("given", "detail"), RUBBISH.values(), ids=RUBBISH)
def test_rubbish_from_an_upcaster_is_found_and_the_upcaster_named(given: Any, detail: str) -> None:
    def rubbish(old: dict[str, Any]) -> Any:
        return given

    kind = read_by(rubbish)
    with pytest.raises(UpcastFailed) as caught:
        kind.decode_events("Noted", 1, b"{}")
    assert caught.value.upcaster.endswith("<locals>.rubbish")
    assert caught.value.__cause__ is caught.value.cause
    assert "event 'Noted' version 1" in str(caught.value)
    assert detail in str(caught.value)


def test_as_many_parts_as_are_allowed_can_be_read() -> None:
    kind = read_by(lambda old: [old] * PARTS_MAX)
    assert len(kind.decode_events("Noted", 1, b'{"text":"a"}')) == PARTS_MAX


def test_a_payload_without_a_type_is_of_the_steps_own_or_of_the_only_one() -> None:
    only = read_by(lambda old: [old], into={"Closed": 1})
    assert [part.event_type for part in only.upcast("Noted", 1, b"{}")] == ["Closed"]
    own = read_by(lambda old: [old, Upcast("Closed", {})], into={"Closed": 1, "Noted": 2})
    assert [part.event_type for part in own.upcast("Noted", 1, b"{}")] == ["Noted", "Closed"]


def test_each_upcaster_gets_a_copy_of_its_own() -> None:
    def twice(old: dict[str, Any]) -> list[Upcast]:
        return [Upcast("Line", old), Upcast("Line", old)]

    def number(old: dict[str, Any]) -> list[dict[str, Any]]:
        old["seen"].append(1)
        return [{"count": len(old.pop("seen"))}]

    @event("Line", version=2)
    class Line:
        count: int

    @aggregate(
        "Sheet",
        upcasters=[
            upcast("Lines", from_version=1, into={"Line": 1})(twice),
            upcast("Line", from_version=1)(number),
        ],
    )
    class Sheet:
        def evolve(self, event: Line) -> "Sheet":
            return self

    kind = Catalog.of(Sheet).types["Sheet"]
    data = b'{"seen":[]}'
    for _ in range(2):
        assert kind.decode_events("Lines", 1, data) == (Line(1), Line(1))
    assert data == b'{"seen":[]}'
