"""Which stages there are, and which of them make the quick share."""

from benchmarks.stages import EVERY_ROUND, ONCE, QUICK, STAGES


def test_every_stage_of_the_quick_share_is_one_of_all() -> None:
    assert set(QUICK) < set(STAGES)
    assert list(QUICK) == [each for each in STAGES if each in QUICK]


def test_no_stage_is_both_repeated_and_done_once() -> None:
    assert not EVERY_ROUND.keys() & ONCE.keys()
