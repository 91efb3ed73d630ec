"""What the author of an aggregate tests with. No server, no clock, no disk.

scenario.py    given(...).when(...).then(...): one example, read as a sentence
stateful.py    machine(BankAccount): a Hypothesis state machine with the invariants of the log
strategies.py  from a type hint to a Hypothesis strategy

`machine` needs Hypothesis: `pip install gesta[testing]`. `given` needs nothing.
"""

from typing import Any

from gesta.testing.scenario import Outcome, Scenario, Stored, given

__all__ = ["given", "machine", "Outcome", "Scenario", "Stored"]


def machine(aggregate: type, /, **arguments: Any) -> Any:
    """A RuleBasedStateMachine subclass with a rule per command; `machine(X).TestCase` is a test.

    Arguments are drawn from the signatures' types. `deposit={"amount": st.integers(1, 100)}` draws
    that one from a strategy of yours; a value object that refuses most values needs it.
    Raises ModuleNotFoundError without Hypothesis, TypeError for an unknown command or argument.
    """
    try:
        from gesta.testing.stateful import machine_of
    except ModuleNotFoundError as error:
        if error.name != "hypothesis":
            raise
        raise ModuleNotFoundError(
            "machine() needs Hypothesis: pip install gesta[testing]", name="hypothesis"
        ) from error
    return machine_of(aggregate, arguments)
