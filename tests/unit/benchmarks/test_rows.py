"""From figures to rows: medians, ratios, goals, verdicts."""

import pytest
from benchmarks.figures import Figures
from benchmarks.rows import Goal, Line, Row, rows


def row(figures: Figures, line: Line) -> Row:
    [found] = rows(figures, [line])
    return found


@pytest.fixture
def figures() -> Figures:
    """Three rounds of gesta beside a peer, in which the second was disturbed."""
    figures = Figures()
    for ours, theirs in ((300.0, 100.0), (90.0, 30.0), (220.0, 110.0)):
        figures.add("ours", ours)
        figures.add("theirs", theirs)
    return figures


def test_a_row_has_the_median_and_how_far_the_rounds_lie_apart(figures: Figures) -> None:
    found = row(figures, Line("ours", "x/s"))
    assert (found.value, found.low, found.high, found.rounds) == (220.0, 90.0, 300.0, 3)


def test_a_ratio_is_that_of_the_medians_and_its_spread_that_of_the_rounds(
    figures: Figures,
) -> None:
    found = row(figures, Line("ours", "x/s", "theirs"))
    assert (found.ratio, found.ratio_low, found.ratio_high) == (2.2, 2.0, 3.0)
    assert found.reference_value == 100.0


@pytest.mark.parametrize(
    ("goal", "met", "said"),
    [
        (Goal("at least", 2.2), True, "≥ 2.2 ×"),  # noqa: RUF001 - it is meant
        (Goal("at least", 2.3), False, "≥ 2.3 ×"),  # noqa: RUF001
        (Goal("at most", 2.3), True, "≤ 2.3 ×"),  # noqa: RUF001
        (Goal("at most", 219, of="value"), False, "≤ 219"),
        (Goal("at least", 10_000, of="value"), False, "≥ 10,000"),
    ],
)
def test_a_goal_bounds_the_ratio_or_the_value(
    figures: Figures, goal: Goal, met: bool, said: str
) -> None:
    found = row(figures, Line("ours", "x/s", "theirs", goal))
    assert (found.met, found.goal) == (met, said)


def test_a_ratio_to_nothing_is_none_and_meets_no_goal(figures: Figures) -> None:
    figures.skip("PostgreSQL", "it is not installed")
    found = row(figures, Line("ours", "x/s", "PostgreSQL, 64 callers", Goal("at least", 2)))
    assert (found.ratio, found.met) == (None, None)
    assert found.note == "PostgreSQL, 64 callers: skipped, it is not installed"


def test_a_figure_whose_server_broke_a_promise_is_invalid_and_meets_no_goal(
    figures: Figures,
) -> None:
    figures.add("ours", 1_000.0, ["LOST: one command"])
    found = row(figures, Line("ours", "x/s", "theirs", Goal("at least", 1)))
    assert (found.valid, found.met, found.verdict) == (False, None, "INVALID: LOST: one command")


def test_a_ratio_to_what_broke_a_promise_is_invalid_and_meets_no_goal(figures: Figures) -> None:
    figures.add("theirs", 1.0, ["LOST: one append"])
    found = row(figures, Line("ours", "x/s", "theirs", Goal("at least", 1)))
    assert (found.valid, found.met, found.verdict) == (False, None, "INVALID: LOST: one append")
    assert row(figures, Line("ours", "x/s")).valid


def test_a_peer_that_is_not_here_has_a_row_that_says_so() -> None:
    figures = Figures()
    figures.skip("Restate", "there is no npm")
    found = row(figures, Line("Restate, one key", "x/s"))
    assert (found.value, found.verdict) == (None, "skipped: there is no npm")


def test_what_was_not_measured_has_no_row(figures: Figures) -> None:
    assert rows(figures, [Line("something else", "x/s")]) == []
