"""One decision: drive a command's generator, and let nothing out that could not be stored."""

from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

from gesta.domain.aggregate import AggregateType
from gesta.domain.context import Context
from gesta.domain.contract import CommandType
from gesta.domain.errors import ForeignEvent, HandlerFailed, LimitExceeded
from gesta.domain.rejection import Rejected

_make = tuple.__new__  # a NamedTuple in a third of the time that calling it takes


class NewEvent(NamedTuple):
    """An event that was decided and is not stored yet. A tuple, for it is made per event."""

    event_type: str
    schema_version: int
    data: bytes


class Decided(NamedTuple):
    """What a command came to: its events, the state after them, and its reply as JSON."""

    events: tuple[NewEvent, ...]
    state: Any
    reply: bytes


@dataclass(frozen=True, slots=True)
class DecisionLimits:
    """How large one decision may be."""

    events_per_command: int = 1_000
    """They are appended in one piece; 1,000 stay well inside one group commit of 4,096."""
    bytes_per_command: int = 1_048_576
    """Payload bytes of all its events: an eighth of the largest group commit."""
    bytes_per_event: int = 262_144
    """A reader takes pages of many events; one must not fill a page of 1 MiB alone."""
    bytes_per_reply: int = 262_144
    """A reply is stored with its command id for as long as the answer is remembered."""


DEFAULT_LIMITS = DecisionLimits()


def decide(
    aggregate_type: AggregateType,
    command: CommandType,
    state: Any,
    arguments: Mapping[str, Any],
    context: Context,
    limits: DecisionLimits = DEFAULT_LIMITS,
) -> Decided:
    """Runs the command on the state, which stays as it is. `arguments` are decoded ones.

    Raises Rejected with a reason that the command declares; LimitExceeded; HandlerFailed for every
    bug in the author's code. What is not an Exception (KeyboardInterrupt) passes. Whatever
    happens, the generator is closed and nothing of it is kept.
    """
    decision: Any = None
    try:
        if command.takes_context:
            decision = command.handler(state, context, **arguments)
        else:
            decision = command.handler(state, **arguments)
        decided = _drive(aggregate_type, command, decision, state, limits)
    except Rejected as rejected:
        _close(command, decision)
        if rejected.reason not in command.rejects:
            raise _failed(command, rejected) from rejected
        raise
    except (LimitExceeded, HandlerFailed):
        _close(command, decision)
        raise
    except Exception as error:  # whatever the author's code raises is the author's bug
        _close(command, decision)
        raise _failed(command, error) from error
    except BaseException:
        with suppress(Exception):  # what interrupts us matters more than a broken `finally`
            decision.close()
        raise
    return decided


def _drive(
    aggregate_type: AggregateType,
    command: CommandType,
    decision: Generator[Any, Any, Any],
    state: Any,
    limits: DecisionLimits,
) -> Decided:
    events: list[NewEvent] = []
    size = 0
    received: Any = None  # what starts a generator must be None
    while True:
        try:
            event = decision.send(received)
        except StopIteration as stop:
            reply = command.encode_reply(stop.value)
            break
        event_type = command.events.get(type(event))
        if event_type is None:
            raise ForeignEvent(f"{command.aggregate_type}.{command.name}", event)
        data, seen = event_type.encode(event)
        size += len(data)
        if len(data) > limits.bytes_per_event:
            raise LimitExceeded("bytes_per_event", limits.bytes_per_event)
        if size > limits.bytes_per_command:
            raise LimitExceeded("bytes_per_command", limits.bytes_per_command)
        if len(events) == limits.events_per_command:
            raise LimitExceeded("events_per_command", limits.events_per_command)
        state = received = aggregate_type.evolve(state, seen)
        events.append(_make(NewEvent, (event_type.name, event_type.schema_version, data)))
    if len(reply) > limits.bytes_per_reply:
        raise LimitExceeded("bytes_per_reply", limits.bytes_per_reply)
    return _make(Decided, (tuple(events), state, reply))


def _close(command: CommandType, decision: Generator[Any, Any, Any] | None) -> None:
    """Runs the author's `finally`. One that yields, or raises, is a bug like any other."""
    if decision is None:
        return
    try:
        decision.close()
    except Exception as error:
        raise _failed(command, error) from error


def _failed(command: CommandType, cause: Exception) -> HandlerFailed:
    return HandlerFailed(f"{command.aggregate_type}.{command.name}", cause)
