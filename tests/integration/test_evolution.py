"""A log written by five releases of an author's code, read by each as it stands today."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.integration.evolving_purse import RELEASES, release_1, release_3, release_5

from gesta.client import Client, Event, Match, NewEvent, UnreadableEvent, connect
from gesta.domain import aggregate, event, upcast
from gesta.domain.catalog import Catalog
from gesta.engine.findings import Reading, Report
from gesta.engine.verification import Verification
from gesta.server.config import Config
from gesta.server.process import Server
from gesta.store.offline import OfflineLog, offline

AMOUNTS = (5, 250, -30)
"""Paid by each release: kept, split in two, of the other sign."""


@asynccontextmanager
async def running(folder: Path, *classes: type) -> AsyncIterator[Client]:
    config = Config(data=str(folder / "data"), listen="127.0.0.1:0")
    catalog = Catalog.of(*classes)
    async with Server(config, catalog=catalog) as server, connect(server.address) as client:
        yield client


async def pay(client: Client, *amounts: int) -> int:
    total = 0
    for amount in amounts:
        total = (await client.execute("Purse", "p", "pay", {"amount": amount})).reply
    return total


@pytest.fixture
async def log(tmp_path: Path) -> Path:
    """Every release has written to it, each starting from the state that the one before left."""
    totals = []
    for release in RELEASES:
        async with running(tmp_path, release()) as client:
            totals.append(await pay(client, *AMOUNTS))
    # Three payments of 250 hid a fee of 1, says the fourth release.
    assert totals == [225, 450, 675, 900 - 3, 1_125 - 3]
    return tmp_path


def told(events: list[Event]) -> list[tuple[str, int, int]]:
    return [(each.event_type, each.schema_version, each.part) for each in events]


async def test_the_newest_release_reads_all_that_was_written_in_its_own_terms(log: Path) -> None:
    async with running(log, release_5()) as client:
        events = [each async for each in client.read()]
        by_old = [("Received", 1, 0), ("Received", 1, 0), ("Outlay", 1, 1), ("Outlay", 1, 0)]
        by_new = [("Received", 1, 0), ("Received", 1, 0), ("Outlay", 1, 0)]
        assert told(events) == by_old * 3 + by_new * 2
        balance = 0
        for each in events:
            sign = 1 if each.event_type == "Received" else -1
            balance += sign * each.payload["amount"]
        assert (await client.state("Purse", "p")).state == {"total": balance}


async def test_parts_keep_place_and_id_and_only_the_last_ends_the_command(log: Path) -> None:
    async with running(log, release_5()) as client:
        events = [each async for each in client.read()]
        first, second = events[1], events[2]
        assert (first.position, first.version) == (second.position, second.version)
        assert first.event_id == second.event_id
        assert (first.part, second.part) == (0, 1)
        assert (first.more_in_command, second.more_in_command) == (True, False)


async def test_as_stored_everything_comes_as_it_was_written(log: Path) -> None:
    async with running(log, release_5()) as client:
        stored = [each async for each in client.read(as_stored=True)]
        assert [each.position for each in stored] == list(range(1, len(stored) + 1))
        paid = [each for each in stored if each.event_type == "Paid"]
        assert [each.schema_version for each in paid] == [1, 1, 1, 2, 2, 2, 3, 3, 3]
        assert paid[0].data == b'{"amt":"5"}'
        assert {each.event_type for each in stored} == {
            *("Greeted", "Paid", "Received", "Spent", "Outlay")
        }
        old_names = Match(event_types=["Paid"])
        assert len([each async for each in client.read(where=old_names, as_stored=True)]) == 9


async def test_a_filter_names_types_of_today_and_finds_what_leads_to_them(log: Path) -> None:
    async with running(log, release_5()) as client:
        everything = [each async for each in client.read()]
        for name in ("Received", "Outlay"):
            found = [each async for each in client.read(where=Match(event_types=[name]))]
            assert told(found) == [one for one in told(everything) if one[0] == name]
        assert not [each async for each in client.read(where=Match(event_types=["Paid"]))]


@pytest.mark.parametrize("backwards", [False, True])
async def test_limits_count_events_as_they_are_stored(log: Path, backwards: bool) -> None:
    async with running(log, release_5()) as client:
        stored = [each async for each in client.read(as_stored=True, backwards=backwards)]
        read = [each async for each in client.read(backwards=backwards, limit=12)]
        kept = [each.position for each in stored if each.event_type != "Greeted"]
        assert list(dict.fromkeys(each.position for each in read)) == kept[:12]
        assert len(read) > 12


async def test_a_subscription_delivers_what_a_read_does_and_passes_over_what_is_dropped(
    log: Path,
) -> None:
    async with running(log, release_5()) as client:
        for as_stored in (False, True):
            read = [each async for each in client.read(as_stored=as_stored)]
            got: list[Event] = []
            async with client.subscribe(as_stored=as_stored) as subscription:
                async for each in subscription:
                    got.append(each)
                    if len(got) == len(read):
                        break
            assert [each.message for each in got] == [each.message for each in read]


async def test_old_events_that_are_appended_today_reach_live_subscribers_upcast(
    tmp_path: Path,
) -> None:
    async with running(tmp_path, release_5()) as client, client.subscribe() as subscription:
        await client.append([NewEvent("Purse", "p", "Paid", {"amt": "300"}, schema_version=1)])
        got: list[Event] = []
        async with asyncio.timeout(30):
            async for each in subscription:
                got.append(each)
                if len(got) == 2:
                    break
        assert told(got) == [("Received", 1, 0), ("Outlay", 1, 1)]
        assert (await client.state("Purse", "p")).version == 1


async def test_a_type_is_described_with_all_versions_and_events_that_it_reads(log: Path) -> None:
    async with running(log, release_3()) as client:
        (described,) = await client.describe()
        paid = {each.event_type: each for each in described.events}["Paid"]
        assert (paid.schema_version, paid.older_versions) == (3, (1, 2))
        assert described.retired_events == []
    async with running(log, release_5()) as client:
        (described,) = await client.describe()
        assert [each.older_versions for each in described.events] == [(), ()]
        assert described.retired_events == [
            ("Greeted", (1,), ()),
            ("Paid", (1, 2, 3), ("Outlay", "Received")),
            ("Spent", (1,), ("Outlay",)),
        ]


async def test_time_travel_folds_old_versions_too(log: Path) -> None:
    async with running(log, release_5()) as client:
        changes = [change async for change in client.history("Purse", "p")]
        for change in changes:
            found = await client.state("Purse", "p", at_version=change.event.version)
            assert found.state == change.after
        assert changes[0].event.event_type == "Greeted"


async def test_expected_versions_count_what_is_stored(log: Path) -> None:
    async with running(log, release_5()) as client:
        stored = [each async for each in client.read(as_stored=True)]
        done = await client.execute(
            "Purse", "p", "pay", {"amount": 1}, expected_version=len(stored)
        )
        assert done.version == len(stored) + 1


def verified(log: Path, release: Callable[[], type]) -> Report:
    with offline(log / "data") as connection:
        return Verification(Catalog.of(release()), OfflineLog(connection)).run()


async def test_before_a_deploy_the_log_is_tried_with_each_release(log: Path) -> None:
    assert verified(log, release_5).is_well
    newest = {
        (each.event_type, each.schema_version): each.reading
        for each in verified(log, release_5).aggregate_types[0].event_types
    }
    upcast = Reading.UPCAST
    assert newest == {
        ("Greeted", 1): upcast,
        ("Outlay", 1): Reading.CURRENT,
        ("Paid", 1): upcast,
        ("Paid", 2): upcast,
        ("Paid", 3): upcast,
        ("Received", 1): Reading.CURRENT,
        ("Spent", 1): upcast,
    }
    (third,) = verified(log, release_3).aggregate_types  # it knows nothing of what came after
    assert (third.streams_failing, third.events_failing) == (1, 6)
    assert third.first_failure is not None
    assert "UnknownEvent" in third.first_failure.error


def broken(reader: Callable[[dict[str, Any]], Any]) -> type:
    """A release whose upcaster does that."""

    @upcast("Paid", from_version=1)
    def fail(old: dict[str, Any]) -> Any:
        return reader(old)

    @event("Paid", version=2)
    class Paid:
        amount: int

    @event("Greeted")
    class Greeted:
        pass

    @aggregate("Purse", upcasters=[fail])
    class Purse:
        total: int = 0

        def evolve(self, event: Paid | Greeted) -> "Purse":
            return self

    return Purse


@pytest.mark.parametrize(
    "reader",
    [
        lambda old: old["no such field"],
        lambda old: None,
        lambda old: [{"amount": "five"}],
        lambda old: [{"amount": 1, "more": 2}],
        lambda old: [5],
    ],
)
async def test_an_upcaster_that_fails_or_gives_rubbish_is_a_clear_error_with_the_position(
    tmp_path: Path, reader: Callable[[dict[str, Any]], Any]
) -> None:
    async with running(tmp_path, release_1()) as client:
        await pay(client, 5)
    async with running(tmp_path, broken(reader)) as client:
        with pytest.raises(UnreadableEvent) as unread:
            [each async for each in client.read()]
        assert unread.value.position == 2
        assert "no such field" not in str(unread.value)
        with pytest.raises(UnreadableEvent):
            await client.state("Purse", "p")
        assert len([each async for each in client.read(as_stored=True)]) == 2


async def test_what_no_code_knows_is_kept_and_shown_as_it_is_stored(log: Path) -> None:
    async with running(log) as client:  # no code at all
        without = [each async for each in client.read()]
        assert {each.event_type for each in without} >= {"Paid", "Spent"}
    async with running(log, release_1()) as client:  # code from before the log's newest events
        seen = [each async for each in client.read()]
        assert [each.message for each in seen] == [each.message for each in without]
        with pytest.raises(UnreadableEvent):
            await client.state("Purse", "p")
