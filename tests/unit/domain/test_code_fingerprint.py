"""When a snapshot is void: what changes the fingerprint of the code behind a state."""

import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.domain.bank import BANK, AccountOpened
from tests.unit.domain.till import TILL

from gesta.domain import aggregate, upcast
from gesta.domain.aggregate import aggregate_type_of
from gesta.domain.code import CODE_FINGERPRINT_BYTES

SOURCE = '''
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal, NewType
import msgspec
from gesta.domain import Decision, aggregate, command, event, query, upcast

RATE = 2
START = {"LOW": (1,)}
Name = NewType("Name", str)

class Level(Enum):
    LOW = 1
    HIGH = 2

@dataclass(frozen=True)
class Money:
    amount: int = 0
    currency: Literal["CZK", "EUR"] = "CZK"

    def __add__(self, other: int) -> "Money":
        return Money(self.amount + other, self.currency)

@event("Moved", version=2)
class Moved:
    by: int
    level: Level = Level.LOW

    @property
    def twice(self) -> int:
        return self.by * 2

@event("Closed")
class Closed:
    pass

def scaled(factor):
    def scale(old):
        old["by"] = old["by"] * factor
        return scale({}) if "again" in old else [old]
    return scale

from_first = upcast("Moved", from_version=1)(scaled(10))

@upcast("Old", from_version=1, into={})
def drop(old):
    return []

def helper(by):
    return by

@aggregate("Purse", snapshot_every=5)
class Purse:
    """What it holds."""

    LARGE = 1000
    RATES = {"CZK": [1, 2]}
    HELD = {"x", "y"}
    balance: Money = Money()
    owner: Name | None = None
    seen: frozenset[str] = frozenset({"a", "b", "c"})
    rate: Decimal = Decimal("1.5")
    limit: Annotated[int, msgspec.Meta(ge=0)] = 5
    by_level: Mapping[str, tuple[int, ...]] = field(default_factory=lambda: dict(START))

    def evolve(self, event: Moved | Closed) -> "Purse":
        match event:
            case Moved(by) if by in {"x", "y", "z", 1} or any(n > 1 for n in (by,)):
                return self._add(event.twice + helper(by))
            case Moved():
                return self
            case Closed():
                return self

    def _add(self, by: int, times: int = 1) -> "Purse":
        return replace(self, balance=self.balance + by * times)

    def _tried(self, by: int) -> None:
        try:
            sign = self.sign
        except ValueError:
            raise
        else:
            sign(by)

    @staticmethod
    def sign(by: int) -> int:
        return 1

    @command
    def move(self, by: int) -> Decision[Moved, "Purse", int]:
        after = yield Moved(by)
        return after.balance.amount

    @query
    def total(self) -> int:
        return self.balance.amount
'''


def fingerprint_of(source: str) -> bytes:
    """As if the module were written so."""
    module = types.ModuleType("purse_of_the_test")
    sys.modules[module.__name__] = module
    try:
        exec(compile(source, "purse.py", "exec"), vars(module))
        found: bytes = module.Purse.__gesta_aggregate__.fingerprint
    finally:
        del sys.modules[module.__name__]
    return found


@pytest.fixture(scope="module")
def original() -> bytes:
    return fingerprint_of(SOURCE)


def replaced(old: str, new: str) -> str:
    assert old in SOURCE
    return SOURCE.replace(old, new, 1)


CHANGES: dict[str, tuple[str, str]] = {
    "a field's name": ("owner: Name", "holder: Name"),
    "a field's type": ("owner: Name | None", "owner: int | None"),
    "a type behind a name": ('NewType("Name", str)', 'NewType("Name", int)'),
    "a tuple for a set": ("frozenset[str] = frozenset(", "tuple[str, ...] = tuple("),
    "a field's default": ('Decimal("1.5")', 'Decimal("1.50")'),
    "a field's constraint": ("Meta(ge=0)", "Meta(ge=1)"),
    "an order of fields": ("    amount: int = 0\n    currency", "    currency"),
    "a default inside a field": ("amount: int = 0", "amount: int = 1"),
    "a type inside a field": ('Literal["CZK", "EUR"]', 'Literal["CZK", "USD"]'),
    "an enum's names": ("HIGH = 2", "TALL = 2"),
    "an enum's values": ("HIGH = 2", "HIGH = 3"),
    "an operator of a value object": ("self.amount + other", "self.amount - other"),
    "an event's field": ("    by: int\n", "    by: float\n"),
    "an event's default": ("level: Level = Level.LOW", "level: Level = Level.HIGH"),
    "an event's property": ("self.by * 2", "self.by * 3"),
    "evolve": ("self._add(event.twice +", "self._add(event.twice -"),
    "what evolve calls": ("helper(by))", "round(by))"),
    "a constant in evolve": ('{"x", "y", "z", 1}', '{"x", "y", "w", 1}'),
    "a number of another type": ('"z", 1}', '"z", True}'),
    "an expression inside evolve": ("n > 1", "n > 2"),
    "a method that evolve calls": ("by * times", "by + times"),
    "a default of a method": ("times: int = 1", "times: int = 2"),
    "a static method": ("return 1\n", "return 2\n"),
    "a constant of the class": ("LARGE = 1000", "LARGE = 1001"),
    "what a mapping of the class holds": ('"CZK": [1, 2]', '"CZK": [1, 3]'),
    "what a set of the class holds": ('HELD = {"x"', 'HELD = {"z"'),
    "an upcaster": ('old["by"] * factor', 'old["by"] + factor'),
    "what an upcaster closes over": ("scaled(10)", "scaled(11)"),
    "what a default is made of": ("(1,)}", "(2,)}"),
    "what an upcaster reads": ('"Old", from', '"Older", from'),
    "where an upcaster leads": ("from_version=1)", 'from_version=1, into={"Closed": 1})'),
    "what is tried": (
        "        except ValueError:\n            raise\n        else:\n            sign(by)\n",
        "            sign(by)\n        except ValueError:\n            raise\n",
    ),
    "the version of snapshots": ("snapshot_every=5", "snapshot_version=2"),
}
NO_CHANGES: dict[str, tuple[str, str]] = {
    "comments and lines": ("    def evolve", "    # a comment\n\n    def evolve"),
    "how often": ("snapshot_every=5", "snapshot_every=6"),
    "a command": ("yield Moved(by)", "yield Moved(by + 1)"),
    "a query": ("return self.balance.amount\n", "return -self.balance.amount\n"),
    "a helper, which snapshot_version is for": ("    return by\n", "    return by + 1\n"),
    "a constant of the module": ("RATE = 2", "RATE = 3"),
}


@pytest.mark.parametrize(("old", "new"), CHANGES.values(), ids=CHANGES)
def test_what_the_state_rests_on_changes_the_fingerprint(
    original: bytes, old: str, new: str
) -> None:
    assert fingerprint_of(replaced(old, new)) != original


@pytest.mark.parametrize(("old", "new"), NO_CHANGES.values(), ids=NO_CHANGES)
def test_what_the_state_does_not_rest_on_does_not(original: bytes, old: str, new: str) -> None:
    assert fingerprint_of(replaced(old, new)) == original


def test_a_fingerprint_is_the_same_in_every_process(tmp_path: Path) -> None:
    (tmp_path / "purse.py").write_text(SOURCE, "utf-8")
    (tmp_path / "show.py").write_text(
        "import purse; print(purse.Purse.__gesta_aggregate__.fingerprint.hex())", "utf-8"
    )

    def run(seed: str) -> str:
        # The second process reads the bytecode that the first one has written.
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, str(tmp_path / "show.py")]
        return subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout

    assert len({run(seed) for seed in ("0", "1", "2")}) == 1


def test_an_upcaster_may_close_over_a_name_that_is_not_bound() -> None:
    def unfinished(old: dict[str, Any]) -> list[dict[str, Any]]:
        return [later(old)]

    @aggregate("Thing", upcasters=[upcast("Old", from_version=1, into={})(unfinished)])
    class Thing:
        def evolve(self, event: AccountOpened) -> "Thing":
            return self

    kind = aggregate_type_of(Thing)
    assert kind is not None
    assert len(kind.fingerprint) == CODE_FINGERPRINT_BYTES
    if len(kind.events) > 1:

        def later(old: dict[str, Any]) -> dict[str, Any]:
            return old


def test_a_fingerprint_does_not_change_as_the_code_warms_up(original: bytes) -> None:
    fold: Callable[..., object] = BANK.evolve
    before = BANK.fingerprint
    vars(BANK).pop("fingerprint")
    for _ in range(10_000):  # Python rewrites the bytecode that it runs often
        fold(BANK.initial, AccountOpened("Ann"))
    assert BANK.fingerprint == before
    assert len(original) == len(before) == CODE_FINGERPRINT_BYTES
    assert before != TILL.fingerprint
