"""A repository's own snapshots spare events, and change no answer."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.edge.tally import Tally

from gesta.client import Client, Kept, MemoryKeeper
from gesta.client.reading import Reading

EVENTS = 250


@pytest.fixture
async def keeper(client: Client) -> MemoryKeeper:
    """Has a snapshot of Tally t, of 1 + 2 + ... + EVENTS."""
    for amount in range(1, EVENTS + 1):
        await client.aggregate(Tally, "t").execute(Tally.add(amount))
    kept = MemoryKeeper()
    await client.repository(Tally, snapshots=kept).load("t")
    return kept


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The versions that are read from now on."""
    versions: list[int] = []
    batches = Reading.batches

    async def noted(self: Reading):  # type: ignore[no-untyped-def]
        async for events in batches(self):
            versions.extend(event.version for event in events)
            yield events

    monkeypatch.setattr(Reading, "batches", noted)
    return versions


async def total(client: Client, keeper: MemoryKeeper) -> tuple[int, int]:
    loaded = await client.repository(Tally, snapshots=keeper).load("t")
    assert loaded.last_event is not None
    assert loaded.last_event.version == loaded.version
    return loaded.version, loaded.state.total


SUM = EVENTS * (EVENTS + 1) // 2


async def test_a_load_reads_the_event_it_rests_on_and_what_came_after(
    client: Client, keeper: MemoryKeeper, read: list[int]
) -> None:
    assert await total(client, keeper) == (EVENTS, SUM)
    assert read == [EVENTS]
    await client.aggregate(Tally, "t").execute(Tally.add(7))
    read.clear()
    assert await total(client, keeper) == (EVENTS + 1, SUM + 7)
    assert read == [EVENTS, EVENTS + 1]


async def test_commands_are_decided_on_it_and_saved_behind_it(
    client: Client, keeper: MemoryKeeper
) -> None:
    done = await client.repository(Tally, snapshots=keeper).execute("t", Tally.add(5))
    assert (done.version, done.reply) == (EVENTS + 1, SUM + 5)


@pytest.mark.parametrize(
    "change",
    [
        {"event_id": UUID(int=1)},
        {"version": EVENTS - 1},
        {"version": EVENTS + 1},
        {"version": EVENTS + 50},
        {"fingerprint": b"another's code!!"},
        {"state": b"{"},
        {"state": b'{"total":"x"}'},
    ],
    ids=str,
)
async def test_one_that_is_not_borne_out_is_not_used(
    client: Client, keeper: MemoryKeeper, change: dict[str, Any]
) -> None:
    kept = await keeper.get("Tally", "t")
    assert kept is not None
    await keeper.put("Tally", "t", kept._replace(**change))
    assert await total(client, keeper) == (EVENTS, SUM)


async def test_one_of_an_aggregate_that_the_log_has_never_heard_of_is_not_used(
    client: Client, keeper: MemoryKeeper
) -> None:
    kept = await keeper.get("Tally", "t")
    assert kept is not None
    await keeper.put("Tally", "none", kept)
    loaded = await client.repository(Tally, snapshots=keeper).load("none")
    assert (loaded.version, loaded.state) == (0, Tally())


async def test_few_events_are_not_worth_one(client: Client) -> None:
    await client.aggregate(Tally, "few").execute(Tally.add(1))
    keeper = MemoryKeeper()
    await client.repository(Tally, snapshots=keeper).load("few")
    assert await keeper.get("Tally", "few") is None


async def test_a_memory_keeper_lets_go_of_what_was_not_used_for_longest() -> None:
    keeper = MemoryKeeper(snapshots_max=2)
    kept = Kept(1, uuid4(), b"f" * 16, b"{}")
    await keeper.put("T", "a", kept)
    await keeper.put("T", "b", kept)
    assert await keeper.get("T", "a") == kept
    await keeper.put("T", "c", kept._replace(version=2))
    assert await keeper.get("T", "b") is None
    assert await keeper.get("T", "a") == kept
    with pytest.raises(ValueError, match="snapshots_max"):
        MemoryKeeper(snapshots_max=0)
