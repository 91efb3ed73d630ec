"""Arguments that callers send: what is taken, what is refused, and under which field's name."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Annotated

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.domain.bank import BANK, BankAccount

from gesta.domain import Context, Decision, aggregate, command, event
from gesta.domain.aggregate import aggregate_type_of
from gesta.domain.catalog import fingerprint
from gesta.domain.contract import CommandType
from gesta.domain.errors import InvalidArgument


@dataclass(frozen=True)
class Item:
    name: str
    price: Decimal

    def __post_init__(self) -> None:
        if self.price < 0:
            raise ValueError("a price is not negative")


@event("Ordered")
class Ordered:
    items: tuple[Item, ...]


@aggregate("Order")
class Order:
    count: int = 0

    def evolve(self, event: Ordered) -> "Order":
        return replace(self, count=self.count + len(event.items))

    @command
    def place(
        self,
        context: Context,
        items: tuple[Item, ...],
        *,
        quantity: Annotated[int, msgspec.Meta(ge=1, le=9)] = 1,
        ratio: float = 1.0,
        when: datetime | None = None,
        by_name: Mapping[str, tuple[int, ...]] | None = None,
    ) -> Decision[Ordered, "Order", None]:
        yield Ordered(items)


def place() -> CommandType:
    found = aggregate_type_of(Order)
    assert found is not None
    return found.commands["place"]


def field_refused(data: bytes) -> str:
    with pytest.raises(InvalidArgument) as caught:
        place().decode_arguments(data)
    assert caught.value.detail
    return caught.value.field


def test_defaults_are_filled_in() -> None:
    expected = {"items": (), "quantity": 1, "ratio": 1.0, "when": None, "by_name": None}
    assert place().decode_arguments(b'{"items":[]}') == expected


def test_no_bytes_are_an_empty_object() -> None:
    statement = BANK.queries["statement"]
    assert statement.decode_arguments(b"") == {}
    assert statement.decode_arguments(b"{}") == {}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"{}", "items"),
        (b'{"items":[],"quantity":"1"}', "quantity"),
        (b'{"items":[],"quantity":1.0}', "quantity"),
        (b'{"items":[],"quantity":true}', "quantity"),
        (b'{"items":[],"quantity":0}', "quantity"),
        (b'{"items":[],"quantity":10}', "quantity"),
        (b'{"items":[],"quantity":9223372036854775808}', "quantity"),
        (b'{"items":[],"quantity":' + b"9" * 5_000 + b"}", "quantity"),
        (b'{"items":[],"ratio":null}', "ratio"),
        (b'{"items":[],"when":"2026-01-01T00:00:00"}', "when"),
        (b'{"items":[{"name":"a","price":"1.5"},{"name":"b","price":1.5}]}', "items[1].price"),
        (b'{"items":[{"name":"a","price":"NaN"}]}', "items[0].price"),
        (b'{"items":[{"name":"a","price":"1e99999"}]}', "items[0].price"),
        (b'{"items":[{"name":"a"}]}', "items[0].price"),
        (b'{"items":[{"name":"a","price":"1","x":1}]}', "items[0].x"),
        (b'{"items":[{"name":"a","price":"-1"}]}', "items"),
        (b'{"items":[],"by_name":{"a":["b"]}}', "by_name[...][0]"),
        (b'{"items":[],"amnt":1}', "amnt"),
        (b'{"items":[],"context":{}}', "context"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_path(data: bytes, field: str) -> None:
    assert field_refused(data) == field


@pytest.mark.parametrize(
    "data",
    [
        b"[]",
        b"null",
        b"{",
        b'{"items":[],"ratio":NaN}',
        b'{"items":[],"ratio":Infinity}',
        b'{"items":[],"ratio":1e999}',
        b'{"items":[{"name":"\xff","price":"1"}]}',
        b"\xff\xfe",
        b'{"items":[]} {}',
        b'{"x":' + b"[" * 200_000,
        b'{"items":' + b"[" * 200_000,
    ],
)
def test_what_is_not_a_json_object_is_refused(data: bytes) -> None:
    field_refused(data)


def test_a_detail_that_quotes_the_caller_is_cut() -> None:
    with pytest.raises(InvalidArgument) as caught:
        place().decode_arguments(b'{"' + b"x" * 10_000 + b'":1}')
    assert len(str(caught.value)) < 500


def test_what_a_caller_encodes_the_server_decodes() -> None:
    items = (Item("a", Decimal("1.50")),)
    call = Order.place(items, quantity=2)
    assert call.encode_arguments() == b'{"items":[{"name":"a","price":"1.50"}],"quantity":2}'
    decoded = place().decode_arguments(call.encode_arguments())
    assert (decoded["items"], decoded["quantity"]) == (items, 2)


@pytest.mark.parametrize(
    ("name", "value"),
    [("quantity", 0), ("quantity", "1"), ("ratio", float("nan")), ("items", [1]), ("nope", 1)],
)
def test_a_caller_cannot_encode_what_would_be_refused(name: str, value: object) -> None:
    with pytest.raises(InvalidArgument) as caught:
        place().encode_arguments({"items": (), name: value})
    assert caught.value.field == name


def test_a_caller_learns_of_a_missing_argument() -> None:
    with pytest.raises(InvalidArgument) as caught:
        place().encode_arguments({})
    assert caught.value.field == "items"


def test_a_call_names_only_what_was_given() -> None:
    call = BankAccount.withdraw(5)
    assert (call.aggregate_type, call.name) == ("BankAccount", "withdraw")
    assert call.arguments == {"amount": 5}
    assert repr(call) == "BankAccount.withdraw(amount=5)"


def test_a_misspelt_argument_is_a_type_error_at_the_call() -> None:
    with pytest.raises(TypeError, match="amnt"):
        BankAccount.deposit(5, amnt=5)  # type: ignore[call-arg]


@aggregate("Keyed")
class Keyed:
    def evolve(self, event: Ordered) -> "Keyed":
        return self

    @command
    def act(
        self, first: int, second: int = 2, *, key: int
    ) -> Decision[Ordered, "Keyed", tuple[int, ...]]:
        yield Ordered(())
        return first, second, key


@pytest.mark.parametrize("arguments", [(), (1,), (1, 2), (1, 2, 3)])
def test_a_missing_argument_is_a_type_error_at_the_call(arguments: tuple[int, ...]) -> None:
    with pytest.raises(TypeError):
        Keyed.act(*arguments)  # type: ignore[call-arg]
    assert Keyed.act(1, key=3).arguments == {"first": 1, "key": 3}


@given(
    st.lists(st.integers(), max_size=4),
    st.dictionaries(st.sampled_from(["first", "second", "key", "other"]), st.integers()),
)
def test_a_call_takes_what_pythons_own_rules_take(
    by_position: list[int], by_name: dict[str, int]
) -> None:
    def plain(first: int, second: int = 2, *, key: int) -> None: ...

    try:
        bound = inspect.signature(plain).bind(*by_position, **by_name).arguments
    except TypeError:
        with pytest.raises(TypeError):
            Keyed.act(*by_position, **by_name)
    else:
        assert Keyed.act(*by_position, **by_name).arguments == bound


@pytest.mark.parametrize("arguments", [(), (1, 2)])
def test_too_few_and_too_many_are_a_type_error_at_the_call(arguments: tuple[int, ...]) -> None:
    with pytest.raises(TypeError, match=r"BankAccount\.deposit\(amount\): \w+"):
        BankAccount.deposit(*arguments)


def test_a_fingerprint_does_not_depend_on_order_or_white_space() -> None:
    one = fingerprint(BANK, "acc-1", "withdraw", b'{"amount":5,"reference":"x"}')
    other = fingerprint(BANK, "acc-1", "withdraw", b' { "reference" : "\\u0078", "amount": 5 } ')
    assert one == other
    assert len(one) == 16


def test_a_fingerprint_covers_id_command_and_arguments() -> None:
    asked = [
        ("acc-1", "deposit", b'{"amount":5}'),
        ("acc-2", "deposit", b'{"amount":5}'),
        ("acc-1", "withdraw", b'{"amount":5}'),
        ("acc-1", "deposit", b'{"amount":6}'),
        ("acc-1", "deposit", b'{"amount":5,"reference":""}'),
    ]
    assert len({fingerprint(BANK, *question) for question in asked}) == len(asked)


def test_a_fingerprint_is_the_same_in_every_release() -> None:
    expected = "b988d152e3ab387e1d056872fd77e4ad"
    assert fingerprint(BANK, "acc-1", "deposit", b'{"amount":5}').hex() == expected


def test_no_arguments_and_empty_arguments_have_one_fingerprint() -> None:
    assert fingerprint(BANK, "a", "open", b"") == fingerprint(BANK, "a", "open", b"{ }")


@pytest.mark.parametrize("data", [b"{", b"NaN", b'"\xff"', b"[" * 200_000, b"1e999"])
def test_a_fingerprint_of_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidArgument):
        fingerprint(BANK, "acc-1", "deposit", data)
