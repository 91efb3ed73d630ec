"""A Hypothesis state machine of an aggregate: any commands, in any order, and what must hold.

Every step is decided on two states, the live one and one that went through a snapshot, and folded
three times: live, after the snapshot, and from the first event on.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gesta.domain.aggregate import AggregateType, aggregate_type_of
from gesta.domain.annotation import hints_of
from gesta.domain.context import Context
from gesta.domain.contract import CommandType
from gesta.domain.decide import Decided, NewEvent, decide
from gesta.domain.rejection import Rejected
from gesta.testing.scenario import DEFAULT_CONTEXT
from gesta.testing.strategies import Strategy, strategy_of

Overrides = Mapping[str, Mapping[str, Strategy]]


class AggregateMachine(RuleBasedStateMachine):
    """The invariants. `machine_of` adds a rule for each command."""

    aggregate_type: AggregateType

    def __init__(self) -> None:
        super().__init__()
        self.live: Any = self.aggregate_type.initial
        self.restored: Any = self.aggregate_type.initial
        self.log: list[NewEvent] = []
        self.steps = 0

    def execute(self, command: CommandType, arguments: dict[str, Any]) -> None:
        """One command, decided three times: twice on the live state, once on the restored one."""
        self.steps += 1
        decoded = command.decode_arguments(command.encode_arguments(arguments))
        before = self.aggregate_type.encode_state(self.live)
        first = self._decide(command, self.live, decoded)
        again = self._decide(command, self.live, decoded)
        assert first == again, f"{command.name} is not deterministic: {first} then {again}"
        unchanged = self.aggregate_type.encode_state(self.live)
        assert before == unchanged, f"{command.name} changed the state it decided on"
        restored = self._decide(command, self.restored, decoded)
        assert first == restored, (
            f"{command.name} decides otherwise after a snapshot: {first}, {restored}"
        )
        if isinstance(first, Decided):
            self._adopt(command, first)

    @rule()
    def take_a_snapshot(self) -> None:
        """From here on the restored state is this snapshot and the tail after it. Fails for a state
        that the server cannot keep, and so folds from its first event each time."""
        if self.aggregate_type.snapshot_every:
            state = self.aggregate_type.keep_state(self.live)
            self.restored = self.aggregate_type.decode_state(state)

    @invariant()
    def the_state_survives_its_encoding(self) -> None:
        data = self.aggregate_type.encode_state(self.live)
        assert self.aggregate_type.decode_state(data) == self.live

    @invariant()
    def replay_gives_the_live_state(self) -> None:
        replayed = self._fold(self.aggregate_type.initial, self.log)
        assert replayed == self.live, f"replay gives {replayed}, live it was {self.live}"

    @invariant()
    def a_snapshot_and_its_tail_give_the_live_state(self) -> None:
        assert self.restored == self.live, (
            f"snapshot and tail give {self.restored}, live it was {self.live}"
        )

    def _decide(
        self, command: CommandType, state: Any, arguments: dict[str, Any]
    ) -> Decided | tuple[str, str, dict[str, str]]:
        context = Context(
            aggregate_id=DEFAULT_CONTEXT.aggregate_id,
            version=len(self.log),
            now=DEFAULT_CONTEXT.now + timedelta(seconds=self.steps),
            principal=DEFAULT_CONTEXT.principal,
            command_id=UUID(int=self.steps),
        )
        try:
            return decide(self.aggregate_type, command, state, arguments, context)
        except Rejected as rejected:
            return rejected.reason, rejected.message, rejected.details

    def _adopt(self, command: CommandType, decided: Decided) -> None:
        for event in decided.events:
            (seen,) = self.aggregate_type.decode_events(*event)
            assert self.aggregate_type.event_type_of(seen).encode(seen)[0] == event.data
        reply = command.decode_reply(decided.reply)
        assert command.encode_reply(reply) == decided.reply
        self.restored = self._fold(self.restored, decided.events)
        self.log.extend(decided.events)
        self.live = decided.state

    def _fold(self, state: Any, events: Any) -> Any:
        for event in events:
            for seen in self.aggregate_type.decode_events(*event):
                state = self.aggregate_type.evolve(state, seen)
        return state


def machine_of(aggregate: type, overrides: Overrides) -> type[AggregateMachine]:
    """`overrides` are strategies by command and argument. Raises TypeError for one that is not."""
    kind = aggregate_type_of(aggregate)
    if kind is None:
        raise TypeError(f"{aggregate!r} is not an @aggregate")
    unknown = set(overrides) - set(kind.commands)
    if unknown:
        raise TypeError(f"{kind.name} has no commands {sorted(unknown)}")
    rules = {
        f"command_{name}": _rule(aggregate, command, overrides.get(name, {}))
        for name, command in kind.commands.items()
    }
    return type(f"{kind.name}Machine", (AggregateMachine,), {"aggregate_type": kind, **rules})


def _rule(
    aggregate: type, command: CommandType, overrides: Mapping[str, Strategy]
) -> Callable[..., Any]:
    parameters = command.signature.parameters
    unknown = set(overrides) - set(parameters)
    if unknown:
        raise TypeError(f"{command.name} has no arguments {sorted(unknown)}")
    hints = hints_of(command.handler, aggregate, command.name)
    drawn = {
        name: overrides[name] if name in overrides else strategy_of(hints[name])
        for name in parameters
    }
    given = {name: drawn[name] for name, p in parameters.items() if p.default is p.empty}
    left_out = {name: drawn[name] for name, p in parameters.items() if p.default is not p.empty}

    def execute(self: AggregateMachine, arguments: dict[str, Any]) -> None:
        self.execute(command, arguments)

    execute.__name__ = f"command_{command.name}"
    decorate: Any = rule(arguments=st.fixed_dictionaries(given, optional=left_out))
    made: Callable[..., Any] = decorate(execute)
    return made
