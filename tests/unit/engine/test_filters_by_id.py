"""Filters that name one command or one correlation, held against what they mean."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from gesta.engine.filters import Filter, FilterItem
from gesta.store.port import EventRecord

COMMANDS = [UUID(int=1 << 100), UUID(int=2)]
CORRELATIONS = ["", "order-1", str(COMMANDS[0]), str(COMMANDS[0]).upper(), COMMANDS[0].hex]

items = st.builds(
    FilterItem,
    event_types=st.frozensets(st.sampled_from(["E", "F"])),
    id_prefix=st.sampled_from(["", "a"]),
    correlation_id=st.sampled_from(CORRELATIONS),
    command_id=st.sampled_from([b"", *(each.bytes for each in COMMANDS)]),
)


def record(event_type: str, aggregate_id: str, command: UUID, correlation: str) -> EventRecord:
    return EventRecord(
        *(1, "A", aggregate_id, 1, bytes(16), event_type, 1, b"{}", command.bytes, False),
        *(0, None, correlation or None, None, "anonymous", None, None),
    )


records = st.builds(
    record,
    st.sampled_from(["E", "F", "G"]),
    st.sampled_from(["a-1", "b-1"]),
    st.sampled_from(COMMANDS),
    st.sampled_from(CORRELATIONS),
)


@given(st.lists(items, min_size=1), st.lists(records))
def test_an_event_matches_if_all_of_some_item_holds_its_command_and_correlation_too(
    given_items: list[FilterItem], events: list[EventRecord]
) -> None:
    wanted = Filter(given_items)
    for event in events:
        belongs_to = event.correlation_id or str(UUID(bytes=event.command_id))
        expected = any(
            (not item.event_types or event.event_type in item.event_types)
            and event.aggregate_id.startswith(item.id_prefix)
            and (not item.correlation_id or item.correlation_id == belongs_to)
            and (not item.command_id or item.command_id == event.command_id)
            for item in given_items
        )
        assert wanted.matches(event) == expected


def test_an_event_without_a_correlation_belongs_to_its_command_alone() -> None:
    first, second = COMMANDS
    wanted = Filter([FilterItem(correlation_id=str(first))])
    assert wanted.matches(record("E", "a", first, ""))
    assert wanted.matches(record("E", "a", second, str(first)))
    assert not wanted.matches(record("E", "a", first, "order-1"))
    assert not wanted.matches(record("E", "a", second, ""))
