"""Trees of commands and events from what each says of its cause."""

from uuid import UUID

from gesta.client import Event
from gesta.server.cli.causes import Caused, Causes
from gesta.v1.event_pb2 import RecordedEvent

FIRST, SECOND, THIRD = UUID(int=1 << 80), UUID(int=2 << 80), UUID(int=3 << 80)


def wrote(position: int, command_id: UUID, cause: UUID | str = "") -> Event:
    """The event's id is its position's."""
    return Event(
        RecordedEvent(
            position=position,
            event_id=UUID(int=position).bytes,
            command_id=command_id.bytes,
            causation_id=str(cause),
        )
    )


def tree(*events: Event) -> list[str]:
    """A line for each step, indented."""
    return [
        "  " * step.indent
        + (
            f"command {step.at.command_id.int >> 80}"
            if isinstance(step.at, Caused)
            else f"event {step.at.position}"
        )
        for step in Causes(events).walk()
    ]


def test_a_command_stands_below_the_event_that_led_to_it() -> None:
    assert tree(
        wrote(1, FIRST),
        wrote(2, FIRST),
        wrote(3, SECOND, UUID(int=1)),
        wrote(4, THIRD, UUID(int=3)),
    ) == [
        "command 1",
        "  event 1",
        "    command 2",
        "      event 3",
        "        command 3",
        "          event 4",
        "  event 2",
    ]


def test_a_command_stands_below_the_command_that_led_to_it_behind_its_events() -> None:
    assert tree(
        wrote(1, FIRST), wrote(2, SECOND, FIRST), wrote(3, THIRD, FIRST), wrote(4, FIRST)
    ) == [
        "command 1",
        "  event 1",
        "  event 4",
        "  command 2",
        "    event 2",
        "  command 3",
        "    event 3",
    ]


def test_what_names_no_cause_or_one_that_is_not_here_is_a_root() -> None:
    assert tree(wrote(1, FIRST), wrote(2, SECOND, "mail-7"), wrote(3, THIRD, UUID(int=99))) == [
        *("command 1", "  event 1", "command 2", "  event 2", "command 3", "  event 3")
    ]


def test_nothing_is_below_itself_or_below_what_came_later() -> None:
    assert tree(wrote(1, FIRST, SECOND), wrote(2, SECOND, FIRST), wrote(3, THIRD, THIRD)) == [
        *("command 1", "  event 1", "  command 2", "    event 2", "command 3", "  event 3")
    ]
    assert tree(wrote(1, FIRST, UUID(int=1))) == ["command 1", "  event 1"]


def test_a_cause_is_known_however_its_id_is_spelt() -> None:
    (root, _, below, _) = Causes([wrote(1, FIRST), wrote(2, SECOND, f"{{{FIRST}}}".upper())]).walk()
    assert isinstance(below.at, Caused)
    assert (below.at.command_id, below.at.caused_by_command) == (SECOND, FIRST)
    assert (root.depth, below.depth) == (0, 1)


def test_a_chain_may_be_deeper_than_the_stack() -> None:
    commands = [UUID(int=n << 80) for n in range(1, 5_001)]
    chain = [wrote(n, command, UUID(int=n - 1)) for n, command in enumerate(commands, 1)]
    steps = list(Causes(chain).walk())
    assert len(steps) == 10_000
    assert steps[-1].depth == 5_000
