"""The demo's proof must be able to fail."""

import io
from datetime import date

import pytest
from examples.bank.demo import prove
from examples.bank.ledger import Figures
from rich.console import Console

DAY = date(1993, 10, 2)
RIGHT = {"a": Figures(100, 2, DAY), "b": Figures(0, 1, DAY)}


def told_about(*ways: dict[str, Figures]) -> tuple[bool, str]:
    out = io.StringIO()
    named = {f"way {number}": way for number, way in enumerate(ways)}
    return prove(Console(file=out, width=200), ["a", "b"], named), out.getvalue()


def test_three_ways_that_agree_prove_it() -> None:
    proved, said = told_about(RIGHT, dict(RIGHT), dict(RIGHT))
    assert proved
    assert "PROVED" in said


@pytest.mark.parametrize(
    "wrong",
    [
        {"a": Figures(101, 2, DAY), "b": RIGHT["b"]},
        {"a": Figures(100, 3, DAY), "b": RIGHT["b"]},
        {"a": Figures(100, 2, date(1993, 10, 3)), "b": RIGHT["b"]},
        {"a": RIGHT["a"]},
        RIGHT | {"c": Figures(0, 1, DAY)},
        {},
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_way_that_differs_in_anything_fails_it(wrong: dict[str, Figures], place: int) -> None:
    ways = [RIGHT, RIGHT, RIGHT]
    ways[place] = wrong
    proved, said = told_about(*ways)
    assert not proved
    assert "FAILED" in said
    assert "PROVED" not in said


def test_accounts_that_nobody_heard_of_fail_it() -> None:
    assert told_about({}, {}, {})[0] is False
