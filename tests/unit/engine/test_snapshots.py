"""Snapshots are taken of what is confirmed, spare the events before them, and change no answer."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace

import pytest
from tests.unit.engine.harness import Running
from tests.unit.engine.held_store import HeldStore
from tests.unit.engine.tally import add, ask

from gesta.domain import Decision, aggregate, command, event
from gesta.domain.catalog import Catalog
from gesta.engine.errors import StorageIsFull
from gesta.engine.history import Moment
from gesta.engine.limits import Limits
from gesta.store.memory import MemoryStore
from gesta.store.port import EventRecord, LogInfo, StorageFull, Stream, checksum
from gesta.store.snapshots import Snapshot
from gesta.store.snapshots_memory import MemorySnapshots

EVERY = 10


@event("Added")
class Added:
    amount: int
    note: str = ""


def release(*, fold: Callable[[int, int], int] = lambda total, n: total + n, mark: int = 0) -> type:
    """The Tally of a release of the author's code; `mark` tells apart what the code does not."""

    @aggregate("Tally", snapshot_every=EVERY, snapshot_version=mark)
    class Tally:
        total: int = 0

        def evolve(self, event: Added) -> "Tally":
            return replace(self, total=fold(self.total, event.amount))

        @command
        def add(self, amount: int, note: str = "") -> Decision[Added, "Tally", int]:
            after = yield Added(amount, note)
            return after.total

        @command
        def add_each(self, amounts: tuple[int, ...]) -> Decision[Added, "Tally", int]:
            after = self
            for amount in amounts:
                after = yield Added(amount)
            return after.total

    return Tally


class Kept(MemorySnapshots):
    """Outlives an engine, as a file does, and tells when something is saved."""

    def __init__(self) -> None:
        super().__init__()
        self.saved: list[Snapshot] = []
        self.fails: Exception | None = None
        self._news = asyncio.Event()

    async def open(self, log: LogInfo) -> None:
        """Keeps what there is."""

    async def close(self) -> None:
        """Keeps what there is."""

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        if self.fails is not None:
            raise self.fails
        await super().save(snapshots)
        self.saved += snapshots
        self._news.set()

    async def has(self, *versions: int) -> None:
        """Returns once those were saved, of whatever aggregate."""
        async with asyncio.timeout(10):
            while not {each.version for each in self.saved} >= set(versions):
                self._news.clear()
                await self._news.wait()


class Counting(MemoryStore):
    """Counts the events that streams were read of."""

    read = 0

    async def read_stream(
        self, stream: Stream, after: int, limit: int, bytes_max: int
    ) -> list[EventRecord]:
        page = await super().read_stream(stream, after, limit, bytes_max)
        self.read += len(page)
        return page


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def store() -> Counting:
    return Counting()


@pytest.fixture
async def run(store: Counting, kept: Kept) -> AsyncIterator[Running]:
    limits = Limits(snapshot_events_min=3)
    running = Running(HeldStore(store), limits, Catalog.of(release()))
    running.kept = kept
    await running.start()
    yield running
    await running.stop()


async def grown(run: Running, kept: Kept, events: int = 25) -> None:
    """Aggregate "a" of 1 + 2 + ... + events, with its snapshots taken."""
    for amount in range(1, events + 1):
        await run.tell("a", add(amount)).accepted()
        if amount % EVERY == 0:
            await kept.has(amount)


async def test_one_is_taken_every_so_many_events_of_the_state_after_them(
    run: Running, kept: Kept
) -> None:
    await grown(run, kept)
    assert [(each.version, json.loads(each.state)) for each in kept.saved] == [
        (10, {"total": 55}),
        (20, {"total": 210}),
    ]


async def test_it_names_the_event_it_was_taken_after_which_is_not_read_for_it(
    run: Running, kept: Kept, store: Counting
) -> None:
    await run.append([(on, n) for n in range(EVERY) for on in "abc"[: 3 if n else 2]])
    await kept.has(EVERY)
    assert store.read == 0
    log = {(each.aggregate_id, each.version): each for each in await run.log()}
    named = {(each.aggregate_id, each.version): each for each in kept.saved}
    assert named.keys() == {("a", EVERY), ("b", EVERY)}
    for key, snapshot in named.items():
        assert (snapshot.position, snapshot.event_checksum) == (
            log[key].position,
            checksum(log[key]),
        )


async def test_one_is_taken_when_an_aggregate_leaves_memory_with_enough_behind_it(
    run: Running, kept: Kept
) -> None:
    for _ in range(2):
        await run.tell("few", add(1)).accepted()
    for _ in range(4):
        await run.tell("some", add(1)).accepted()
    run.engine._registry.passivate_idle(0)
    await kept.has(4)
    assert [each.aggregate_id for each in kept.saved] == ["some"]


async def test_a_load_reads_no_more_than_what_came_after_it(
    run: Running, kept: Kept, store: Counting
) -> None:
    await grown(run, kept)
    await run.restart()
    store.read = 0
    assert await run.total("a") == (25, 325)
    assert store.read == 1 + 5  # the event it rests on, and those behind it


async def test_the_past_is_looked_at_from_the_snapshot_before_it(
    run: Running, kept: Kept, store: Counting
) -> None:
    await grown(run, kept)
    for version in range(1, 26):
        store.read = 0
        found = await run.engine.history.state("Tally", "a", Moment(version=version))
        assert json.loads(found.data)["total"] == version * (version + 1) // 2
        behind = version % EVERY  # the events behind the snapshot, and the one that it rests on
        assert store.read == (behind + 1 if version >= EVERY else version)
        steps = [step async for step in run.engine.history.steps("Tally", "a", version - 1, 1)]
        assert [json.loads(step.after)["total"] for step in steps] == [version * (version + 1) // 2]
        assert steps[0].before == b'{"total":%d}' % (version * (version - 1) // 2)


async def test_what_is_decided_and_not_committed_is_in_none(run: Running, kept: Kept) -> None:
    await grown(run, kept, 9)
    run.store.appends.close()
    run.store.fail_append(StorageFull())
    asked = [run.tell("a", add(1_000)) for _ in range(30)]
    await run.store.appends.arrived()
    run.store.appends.open()
    for each in asked:
        await each.refused(StorageIsFull)
    assert kept.saved == []
    await run.tell("a", add(10)).accepted()
    await kept.has(10)
    assert [json.loads(each.state) for each in kept.saved] == [{"total": 55}]


async def test_one_that_the_log_does_not_bear_out_is_not_used(run: Running, kept: Kept) -> None:
    await grown(run, kept)
    (newest,) = [each for each in kept.saved if each.version == 20]
    forged = newest._replace(state=b'{"total":7}', event_checksum=newest.event_checksum ^ 1)
    await kept.save([forged])
    await run.restart()
    assert await run.total("a") == (25, 325)


@pytest.mark.parametrize("state", [b"{", b'{"total":"many"}', b'{"more":1,"total":210}'])
async def test_one_that_cannot_be_read_is_not_used(run: Running, kept: Kept, state: bytes) -> None:
    await grown(run, kept)
    (newest,) = [each for each in kept.saved if each.version == 20]
    await kept.save([newest._replace(state=state)])
    await run.restart()
    assert await run.total("a") == (25, 325)


async def test_those_of_other_code_are_not_used(run: Running, kept: Kept) -> None:
    await grown(run, kept)
    run.catalog = Catalog.of(release(mark=1))
    await run.restart()
    for each in list(kept.saved):
        await kept.save([each._replace(state=b'{"total":7}')])
    assert await run.total("a") == (25, 325)


async def test_a_keeper_that_fails_costs_nobody_an_answer(run: Running, kept: Kept) -> None:
    kept.fails = RuntimeError("no disk")
    for amount in range(1, 26):
        await run.tell("a", add(amount)).accepted()
    kept.fails = None
    await run.tell("a", ask("add_each", amounts=[1] * 9)).accepted()
    await kept.has(34)
    assert run.failures == []


async def test_where_too_many_are_wanted_the_rest_is_passed_over(
    store: Counting, kept: Kept
) -> None:
    limits = Limits(snapshots_waiting_max=2, snapshot_events_min=3)
    running = Running(HeldStore(store), limits, Catalog.of(release()))
    running.kept = kept
    await running.start()
    asked = [running.tell(f"a{n}", ask("add_each", amounts=[1] * EVERY)) for n in range(5)]
    for each in asked:
        await each.accepted()
    await kept.has(EVERY)
    assert len(kept.saved) <= 3  # one may be under way while two wait
    assert await running.total("a4") == (EVERY, EVERY)
    await running.stop()
