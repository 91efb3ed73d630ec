"""machine(): it passes on a sound aggregate, and every invariant finds the bug that it is for."""

import builtins
import random
from collections.abc import Mapping
from dataclasses import field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test
from tests.unit.domain.bank import BankAccount, Refusal

import gesta.testing
from gesta.domain import Decision, Rejected, aggregate, command, event
from gesta.domain.errors import HandlerFailed
from gesta.testing import machine

SETTINGS = settings(
    max_examples=50,
    stateful_step_count=12,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def run(aggregate_class: type, **arguments: Any) -> None:
    run_state_machine_as_test(machine(aggregate_class, **arguments), settings=SETTINGS)


@event("Ticked")
class Ticked:
    by: int = 1
    label: str = ""


said = {"by": 0}


@aggregate("Undecided")
class Undecided:
    """Seeded bug: a decision that is not a function of its inputs."""

    count: int = 0

    def evolve(self, event: Ticked) -> "Undecided":
        return replace(self, count=self.count + 1)

    @command
    def tick(self) -> Decision[Ticked, "Undecided", int]:
        after = yield Ticked(random.getrandbits(60))
        return after.count


@aggregate("Whispering")
class Whispering:
    """Seeded bug: the command tells evolve something that no event says."""

    count: int = 0

    def evolve(self, event: Ticked) -> "Whispering":
        return replace(self, count=self.count + said["by"])

    @command
    def tick(self, by: int) -> Decision[Ticked, "Whispering", None]:
        said["by"] = by
        yield Ticked()


@aggregate("Dirty")
class Dirty:
    """Seeded bug: a rejection that leaves a trace in the state it decided on."""

    count: int = 0

    def evolve(self, event: Ticked) -> "Dirty":
        return replace(self, count=self.count + event.by)

    @command(rejects=Refusal)
    def tick(self) -> Decision[Ticked, "Dirty", None]:
        object.__setattr__(self, "count", self.count + 1)
        if self.count > 0:
            raise Rejected(Refusal.ACCOUNT_NOT_OPEN)
        yield Ticked()


@aggregate("Unwritten")
class Unwritten:
    """Seeded bug: an event that its encoding would change."""

    count: int = 0

    def evolve(self, event: Ticked) -> "Unwritten":
        return self

    @command
    def tick(self) -> Decision[Ticked, "Unwritten", None]:
        yield Ticked(label=5)  # type: ignore[arg-type]


@aggregate("Unanswered")
class Unanswered:
    """Seeded bug: a reply that its encoding would change."""

    count: int = 0

    def evolve(self, event: Ticked) -> "Unanswered":
        return self

    @command
    def tick(self) -> Decision[Ticked, "Unanswered", tuple[int, ...]]:
        yield Ticked()
        return [1]  # type: ignore[return-value]


@aggregate("Swollen")
class Swollen:
    """Seeded bug: a state that outgrows its encoding."""

    count: int = 2**60

    def evolve(self, event: Ticked) -> "Swollen":
        return replace(self, count=self.count * 2)

    @command
    def tick(self) -> Decision[Ticked, "Swollen", None]:
        yield Ticked()


@aggregate("Rounded")
class Rounded:
    """Seeded bug: an int where a float is declared, which text made of it tells apart."""

    count: float = 0.0

    def evolve(self, event: Ticked) -> "Rounded":
        return replace(self, count=round(self.count + event.by))

    @command
    def tick(self) -> Decision[Ticked, "Rounded", None]:
        yield Ticked()


@aggregate("Ordered")
class Ordered:
    """The order of a mapping is part of the state."""

    seen: Mapping[str, int] = field(default_factory=dict)
    first: str = ""

    def evolve(self, event: Ticked) -> "Ordered":
        seen = {**self.seen, event.label: event.by}
        return Ordered(seen, next(iter(seen)))

    @command
    def tick(self, label: str) -> Decision[Ticked, "Ordered", None]:
        yield Ticked(label=label)


def test_a_sound_aggregate_passes() -> None:
    amounts = {"amount": st.integers(1, 1000)}
    run(BankAccount, deposit=amounts, withdraw=amounts)


def test_amounts_that_overflow_the_state_are_found() -> None:
    large = {"amount": st.integers(2**62, 2**63 - 1)}  # any two of them do; others, by luck
    with pytest.raises(HandlerFailed, match=r"BankAccount.* does not survive"):
        run(BankAccount, deposit=large)


@pytest.mark.parametrize(
    ("broken", "found"),
    [
        (Undecided, "tick is not deterministic"),
        (Dirty, "changed the state it decided on"),
        (Unwritten, "Ticked does not survive"),
        (Unanswered, "the reply of Unanswered.tick does not survive"),
        (Swollen, "the state of Swollen does not survive"),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_each_invariant_finds_its_seeded_bug(broken: type, found: str) -> None:
    with pytest.raises((AssertionError, HandlerFailed), match=found):
        run(broken)


def test_what_evolve_learned_outside_the_event_is_found_by_replay() -> None:
    with pytest.raises(AssertionError, match="replay gives"):
        run(Whispering, tick={"by": st.integers(1, 9)})


def test_a_state_of_which_there_can_be_no_snapshot_is_found() -> None:
    with pytest.raises(HandlerFailed, match=r"Rounded.* is read back as Rounded\(count=1\.0\)"):
        run(Rounded)


def test_a_snapshot_keeps_the_order_of_a_mapping() -> None:
    run(Ordered, tick={"label": st.sampled_from("cab")})


def test_rules_draw_from_the_given_strategy() -> None:
    drawn: list[int] = []

    def noted(amount: int) -> int:
        drawn.append(amount)
        return amount

    run(
        BankAccount,
        deposit={"amount": st.integers(1, 9).map(noted)},
        withdraw={"amount": st.just(1)},
    )
    assert drawn
    assert set(drawn) <= set(range(1, 10))


@pytest.mark.parametrize(
    ("arguments", "what"),
    [({"depost": {}}, "no commands"), ({"deposit": {"amnt": st.just(1)}}, "no arguments")],
)
def test_a_misspelt_override_is_refused(arguments: dict[str, Any], what: str) -> None:
    with pytest.raises(TypeError, match=what):
        machine(BankAccount, **arguments)


def test_a_class_that_is_no_aggregate_has_no_machine() -> None:
    with pytest.raises(TypeError, match="not an @aggregate"):
        machine(int)


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "gesta.testing.stateful":
            raise ModuleNotFoundError("No module named 'hypothesis'", name="hypothesis")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ModuleNotFoundError, match=r"pip install gesta\[testing\]"):
        gesta.testing.machine(BankAccount)
