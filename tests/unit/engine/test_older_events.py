"""Events that earlier versions of the code stored, in the actors and in direct appends."""

import threading
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.engine.harness import Running, Start, added, at_version
from tests.unit.engine.tally import add

from gesta.domain import Decision, aggregate, command, event, upcast
from gesta.domain.catalog import Catalog
from gesta.engine.errors import HandlerBroken, InvalidRequest
from gesta.engine.views import Evolving
from gesta.engine.watchdog import Watchdog

ENDED = threading.Event()
"""Set where a watchdog would end the process."""


@event("Added", version=2)
class Added:
    amount: int


@upcast("Added", from_version=1)
def in_two_halves(old: dict[str, Any]) -> list[dict[str, Any]]:
    half = old["amount"] // 2
    return [{"amount": half}, {"amount": old["amount"] - half}]


@upcast("Looked", from_version=1, into={})
def drop(old: dict[str, Any]) -> list[dict[str, Any]]:
    return []


@upcast("Lost", from_version=1, into={})
def lose(old: dict[str, Any]) -> list[dict[str, Any]]:
    raise RuntimeError("secret of the author")


@upcast("Stuck", from_version=1, into={})
def wait_for_the_end(old: dict[str, Any]) -> list[dict[str, Any]]:
    assert ENDED.wait(30), "nobody watches"
    return []


@aggregate("Tally", upcasters=[in_two_halves, drop, lose, wait_for_the_end])
class Tally:
    """Counts what it folds, beside the total that its stored events add up to."""

    total: int = 0
    folded: int = 0

    def evolve(self, event: Added) -> "Tally":
        return replace(self, total=self.total + event.amount, folded=self.folded + 1)

    @command
    def add(self, amount: int) -> Decision[Added, "Tally", int]:
        after = yield Added(amount)
        return after.folded


TALLIES = Catalog.of(Tally)


async def of_three_codes(start: Start) -> Running:
    """Two events of the first code, one that is dropped today, and one of today's."""
    run = await start(catalog=TALLIES)
    await run.append([("a", 5), added("a", 0, "Looked"), ("a", 7)])
    await run.tell("a", add(1)).accepted()
    return run


async def test_every_part_of_an_older_event_is_folded_and_versions_count_what_is_stored(
    start: Start,
) -> None:
    run = await of_three_codes(start)
    assert await run.total("a") == (4, 13)
    accepted = await run.tell("a", add(1), expected_version=4).accepted()
    assert (accepted.version, accepted.reply) == (5, b"6")


async def test_a_loaded_aggregate_is_what_the_live_one_was(start: Start) -> None:
    run = await of_three_codes(start)
    live = await run.engine.reads.state("Tally", "a")
    await run.restart()
    assert await run.engine.reads.state("Tally", "a") == live
    assert [record.schema_version for record in await run.log()] == [1, 1, 1, 2]


async def test_an_append_of_an_event_to_come_is_the_callers_mistake(start: Start) -> None:
    run = await start(catalog=TALLIES)
    with pytest.raises(InvalidRequest, match="written by newer code"):
        await run.append([added("a", 1)._replace(schema_version=3)])


async def test_an_append_whose_upcaster_fails_is_a_bug_and_writes_nothing(start: Start) -> None:
    run = await start(catalog=TALLIES)
    with pytest.raises(HandlerBroken) as caught:
        await run.append([("a", 1), added("a", 0, "Lost")], [at_version("a", 0)])
    assert "secret" not in str(caught.value)
    assert await run.log() == []


async def test_an_upcaster_that_never_ends_is_seen_where_it_runs_for_a_reader(
    start: Start,
) -> None:
    run = await of_three_codes(start)
    watchdog = Watchdog(0.001, 0.002, kill=lambda stack: ENDED.set())
    watchdog.start()
    try:
        stuck = (await run.log())[0]._replace(event_type="Stuck")
        assert Evolving(TALLIES, watchdog).parts(stuck) == []
    finally:
        watchdog.stop()
