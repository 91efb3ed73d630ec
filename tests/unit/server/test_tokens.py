"""Tokens: what each one stands for, and which a log refuses. A restore is the reason for them."""

from contextlib import suppress
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gesta.engine.errors import InvalidRequest, LogRestored, OutOfRange
from gesta.engine.token import Tokens
from gesta.store.port import Incarnation, LogInfo

LOG = UUID(int=7).bytes
HEAD = 1_000
SAME_EACH_TIME = settings(derandomize=True, database=None, deadline=None)


def _tokens(*forks: int, log_id: bytes = LOG) -> Tokens:
    """The tokens of a log with an incarnation for each fork; the first fork is 0."""
    incarnations = tuple(Incarnation(n, fork) for n, fork in enumerate((0, *forks), 1))
    return Tokens(LogInfo(log_id, incarnations, epoch=1, head=HEAD, last_commit_time_us=0))


@SAME_EACH_TIME
@given(st.integers(0, 2**63 - 1))
def test_a_token_stands_for_its_position(position: int) -> None:
    tokens = _tokens()
    assert tokens.position(tokens.mint(position), 2**63 - 1, "t") == position


def test_a_restore_refuses_what_it_undid_and_nothing_before() -> None:
    before, after = _tokens(), _tokens(500)
    assert after.position(before.mint(0), HEAD, "t") == 0
    assert after.position(before.mint(500), HEAD, "t") == 500
    with pytest.raises(LogRestored) as refused:
        after.position(before.mint(501), HEAD, "t")
    assert refused.value.fork_position == 500
    assert after.position(after.mint(501), HEAD, "t") == 501


def test_a_token_from_far_past_the_head_of_a_restored_log_names_the_restore() -> None:
    before, after = _tokens(), _tokens(500)
    with pytest.raises(LogRestored):
        after.position(before.mint(HEAD + 1), HEAD, "t")


def test_of_two_restores_each_refuses_what_it_undid() -> None:
    first, second, third = _tokens(), _tokens(500), _tokens(500, 700)
    assert third.position(first.mint(500), HEAD, "t") == 500
    with pytest.raises(LogRestored) as refused:
        third.position(first.mint(600), HEAD, "t")
    assert refused.value.fork_position == 500
    assert third.position(second.mint(600), HEAD, "t") == 600
    with pytest.raises(LogRestored) as refused:
        third.position(second.mint(701), HEAD, "t")
    assert refused.value.fork_position == 700


def test_a_restore_to_before_an_earlier_restore_undoes_both() -> None:
    first, third = _tokens(), _tokens(500, 100)
    with pytest.raises(LogRestored) as refused:
        third.position(first.mint(300), HEAD, "t")
    assert refused.value.fork_position == 100
    with pytest.raises(LogRestored) as refused:
        third.position(first.mint(600), HEAD, "t")
    assert refused.value.fork_position == 100, "whoever read up to 600 must go back to 100"


def test_a_token_of_an_incarnation_to_come_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="has not had") as refused:
        _tokens().position(_tokens(500).mint(1), HEAD, "min_token")
    assert refused.value.field == "min_token"


def test_a_token_of_another_log_is_refused() -> None:
    other = _tokens(log_id=UUID(int=8).bytes)
    with pytest.raises(InvalidRequest, match="another log"):
        _tokens().position(other.mint(1), HEAD, "t")


def test_a_token_past_the_head_is_out_of_range() -> None:
    with pytest.raises(OutOfRange) as refused:
        _tokens().position(_tokens().mint(HEAD + 1), HEAD, "t")
    assert (refused.value.asked, refused.value.last) == (HEAD + 1, HEAD)


@SAME_EACH_TIME
@given(st.text(max_size=60) | st.text("0123456789abcdefABC_-+= ", min_size=40, max_size=48))
def test_no_other_text_is_a_token(text: str) -> None:
    with pytest.raises(InvalidRequest):
        _tokens().position(text, HEAD, "t")


@SAME_EACH_TIME
@given(st.integers(0, 43), st.characters(max_codepoint=0x17F))
def test_a_token_with_a_character_changed_never_stands_for_what_is_past_the_head(
    index: int, character: str
) -> None:
    token = _tokens().mint(HEAD)
    changed = token[:index] + character + token[index + 1 :]
    with suppress(InvalidRequest, OutOfRange):
        assert _tokens().position(changed, HEAD, "t") <= HEAD
