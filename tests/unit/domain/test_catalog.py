"""Which aggregate types a target names, and what a type can do with stored events."""

from pathlib import Path

import pytest
from tests.unit.domain.bank import (
    BANK,
    CONTEXT,
    OPENED,
    Balance,
    BankAccount,
    MoneyDeposited,
    MoneyWithdrawn,
)

from gesta.domain import DefinitionError, aggregate, event
from gesta.domain.catalog import Catalog
from gesta.domain.errors import (
    ForeignEvent,
    HandlerFailed,
    Malformed,
    TargetError,
    UndecodableEvent,
    UnknownEvent,
    UnreadableEvent,
)

SOURCE = """
from __future__ import annotations
from gesta.domain import Decision, aggregate, command, event

@event("Counted")
class Counted:
    by: int

@aggregate("Counter")
class Counter:
    count: int = 0

    def evolve(self, event: Counted) -> Counter:
        return Counter(self.count + event.by)

    @command
    def count_up(self, by: int = 1) -> Decision[Counted, Counter, int]:
        after = yield Counted(by)
        return after.count
"""


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize("target", ["counting", "counting:Counter", "counting.py", "./counting.py"])
def test_a_module_an_attribute_and_a_file_can_be_loaded(folder: Path, target: str) -> None:
    write(folder / "counting.py", SOURCE)
    assert list(Catalog.load(target).types) == ["Counter"]


@pytest.mark.parametrize("target", ["shop", "shop.cart", "shop/", "shop/cart.py"])
def test_a_package_and_a_module_in_it_can_be_loaded(folder: Path, target: str) -> None:
    write(folder / "shop" / "cart.py", SOURCE)
    write(folder / "shop" / "__init__.py", "from shop.cart import Counter, Counter as Again")
    assert list(Catalog.load(target).types) == ["Counter"]


def test_annotations_that_are_strings_are_resolved(folder: Path) -> None:
    write(folder / "counting.py", SOURCE)
    command = Catalog.load("counting").types["Counter"].commands["count_up"]
    assert command.decode_arguments(b"{}") == {"by": 1}


@pytest.mark.parametrize(
    ("target", "detail"),
    [
        ("nowhere", "there is no module 'nowhere'"),
        ("nowhere.inner", "there is no module"),
        ("nowhere.py", "there is no such file"),
        ("bare", "no @aggregate"),
        ("bare:NUMBER", "not an @aggregate"),
        ("bare:MISSING", "has no 'MISSING'"),
        ("failing", "ZeroDivisionError"),
        ("needy", "absent_dependency"),
        ("folder", "no __init__.py"),
        ("twin/json.py", "is imported already"),
    ],
)
def test_a_target_without_aggregates_says_why(folder: Path, target: str, detail: str) -> None:
    write(folder / "bare.py", "NUMBER = 1")
    write(folder / "failing.py", "1 / 0")
    write(folder / "needy.py", "import absent_dependency")
    write(folder / "twin" / "json.py", SOURCE)
    (folder / "folder").mkdir()
    with pytest.raises(TargetError) as caught:
        Catalog.load(target)
    assert caught.value.target == target
    assert detail in caught.value.detail


def test_a_definition_error_comes_through_as_it_is(folder: Path) -> None:
    write(folder / "wrong.py", SOURCE.replace("by: int = 1", "by: list[int]"))
    with pytest.raises(DefinitionError, match="mutable"):
        Catalog.load("wrong")


def test_two_aggregates_of_one_name_are_refused() -> None:
    @aggregate("BankAccount")
    class Impostor:
        def evolve(self, event: MoneyDeposited) -> "Impostor":
            return self

    with pytest.raises(DefinitionError, match="the name of both"):
        Catalog.of(BankAccount, Impostor)


def test_two_events_of_one_name_are_refused_across_aggregates() -> None:
    @event("MoneyDeposited")
    class Other:
        pass

    @aggregate("Wallet")
    class Wallet:
        def evolve(self, event: Other) -> "Wallet":
            return self

    with pytest.raises(DefinitionError) as caught:
        Catalog.of(BankAccount, Wallet)
    assert caught.value.where == "MoneyDeposited"


def test_one_event_may_belong_to_two_aggregates() -> None:
    @aggregate("Wallet")
    class Wallet:
        def evolve(self, event: MoneyDeposited) -> "Wallet":
            return self

    assert set(Catalog.of(BankAccount, Wallet, BankAccount).types) == {"BankAccount", "Wallet"}


def test_a_class_that_is_no_aggregate_is_refused() -> None:
    with pytest.raises(DefinitionError, match="not an @aggregate"):
        Catalog.of(Balance)


def test_a_type_knows_its_parts() -> None:
    assert (BANK.name, BANK.state_class, BANK.snapshot_every) == ("BankAccount", BankAccount, 50)
    assert BANK.initial == BankAccount()
    assert set(BANK.events) == {"AccountOpened", "MoneyDeposited", "MoneyWithdrawn"}
    assert set(BANK.commands) == {"open", "deposit", "withdraw"}
    assert set(BANK.queries) == {"statement", "overdraft_by"}
    assert BANK.commands["deposit"].rejects == {"ACCOUNT_NOT_OPEN", "INSUFFICIENT_FUNDS"}
    assert BANK.commands["open"].rejects == frozenset()


def test_a_stored_event_is_decoded_and_a_missing_field_takes_its_default() -> None:
    data = b'{"amount":5}'
    assert BANK.decode_events("MoneyWithdrawn", 2, data) == (MoneyWithdrawn(5),)


@pytest.mark.parametrize(
    ("name", "version", "data", "error"),
    [
        ("Nothing", 1, b"{}", UnknownEvent),
        ("MoneyWithdrawn", 1, b'{"amount":5}', UnknownEvent),
        ("MoneyWithdrawn", 3, b'{"amount":5}', UnknownEvent),
        ("MoneyDeposited", 1, b"{}", UndecodableEvent),
        ("MoneyDeposited", 1, b'{"amount":5,"extra":1}', UndecodableEvent),
        ("MoneyDeposited", 1, b"nonsense", UndecodableEvent),
        ("MoneyDeposited", 1, b'{"amount":' + b"[" * 200_000, UndecodableEvent),
    ],
)
def test_an_event_todays_code_cannot_read_is_named(
    name: str, version: int, data: bytes, error: type[UnreadableEvent]
) -> None:
    with pytest.raises(error) as caught:
        BANK.decode_events(name, version, data)
    assert (caught.value.event_type, caught.value.schema_version) == (name, version)


def test_an_event_of_another_aggregate_is_foreign() -> None:
    assert BANK.event_type_of(MoneyDeposited(1)).name == "MoneyDeposited"
    with pytest.raises(ForeignEvent):
        BANK.event_type_of(Balance(1))


def test_a_state_is_encoded_and_decoded() -> None:
    assert BANK.encode_state(OPENED) == b'{"balance":100,"is_open":true}'
    assert BANK.decode_state(BANK.encode_state(OPENED)) == OPENED


def test_a_state_its_encoding_would_change_is_a_bug() -> None:
    with pytest.raises(HandlerFailed):
        BANK.encode_state(BankAccount(balance=2**63))


def test_a_state_of_other_code_is_malformed() -> None:
    with pytest.raises(Malformed) as caught:
        BANK.decode_state(b'{"balance":"1"}')
    assert caught.value.field == "balance"


def test_a_query_reads_the_state_and_its_context() -> None:
    assert BANK.queries["statement"].run(OPENED, {}, CONTEXT) == b'{"value":100}'
    overdraft = BANK.queries["overdraft_by"]
    reply = overdraft.run(OPENED, overdraft.decode_arguments(b'{"amount":105}'), CONTEXT)
    assert overdraft.decode_reply(reply) == ("anonymous", 5)


def test_a_query_that_fails_is_a_bug() -> None:
    with pytest.raises(HandlerFailed):
        BANK.queries["overdraft_by"].run(OPENED, {"amount": "5"}, CONTEXT)


def test_a_reply_of_other_code_is_malformed() -> None:
    with pytest.raises(Malformed):
        BANK.commands["deposit"].decode_reply(b'{"value":null}')
