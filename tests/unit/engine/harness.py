"""A running engine, what it was asked, and the check that it kept its word."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from hashlib import blake2b
from typing import TypeVar

from tests.unit.engine.chance import FakeClock, Ids, Seeded
from tests.unit.engine.held_store import ALL, HeldStore
from tests.unit.engine.tally import TALLIES, Ask

from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.engine.errors import AggregateNotFound, EngineError
from gesta.engine.limits import Limits
from gesta.engine.messages import ANONYMOUS, Accepted, Append, Check, Command, Envelope, Proposed
from gesta.store.port import EventRecord
from gesta.store.snapshots import SnapshotStore

E = TypeVar("E", bound=EngineError)
Added = tuple[str, int]
"""An id and an amount: one event that a test appends."""


async def settle() -> None:
    """Let everything run that can run without the store's threads."""
    for _ in range(60):
        await asyncio.sleep(0)


def encode(record: EventRecord, part: int = 0, /) -> bytes:
    return b"%d %s" % (record.position, record.data)


def positions(events: Sequence[bytes]) -> list[int]:
    """The positions of events that `encode` made."""
    return [int(event.split(b" ", 1)[0]) for event in events]


class Asked:
    """A command that was sent, and the answers it got: one, if all is well."""

    def __init__(self, then: Callable[[], object] = lambda: None) -> None:
        self._then = then
        self.answers: list[Accepted | EngineError] = []
        self._answered = asyncio.Event()

    def take(self, answer: Accepted | EngineError) -> None:
        self.answers.append(answer)
        self._answered.set()
        self._then()

    async def answer(self) -> Accepted | EngineError:
        async with asyncio.timeout(5):
            await self._answered.wait()
        (answer,) = self.answers
        return answer

    async def accepted(self) -> Accepted:
        answer = await self.answer()
        assert isinstance(answer, Accepted), answer
        return answer

    async def refused(self, kind: type[E]) -> E:
        answer = await self.answer()
        assert type(answer) is kind, answer
        return answer


class Running:
    """One engine over one store. `start` comes first; the fixture stops it and checks the log."""

    def __init__(self, store: HeldStore, limits: Limits, catalog: Catalog = TALLIES) -> None:
        self.store = store
        self.limits = limits
        self.catalog = catalog
        self.kept: SnapshotStore | None = None
        """What keeps the snapshots; one in memory, anew at each start, where it is None."""
        self.clock = FakeClock()
        self.ids = Ids(self.clock)
        self.chance = Seeded()
        self.asked: list[Asked] = []
        self.failures: list[BaseException] = []
        self.engine: Engine
        self._given_up = False

    async def start(self) -> None:
        self.engine = await Engine.open(
            self.store,
            self.catalog,
            encode,
            snapshots=self.kept,
            limits=self.limits,
            clock=self.clock,
            randomness=self.chance,
            on_failure=self.failures.append,
        )

    async def warm(self, *aggregate_ids: str) -> None:
        """Load these, so that a command is decided in the step that sends it."""
        for each in aggregate_ids:
            with suppress(AggregateNotFound):
                await self.engine.reads.state("Tally", each)

    async def restart(self) -> None:
        await self.stop()
        await self.start()

    async def stop(self) -> None:
        """Close, and hold everything against the log."""
        store = self.store
        for valve in store.valves:
            valve.open()
        self.engine.drain()
        try:
            async with asyncio.timeout(5):
                await self.engine.commands.idle()
                await self.engine.appends.idle()
        except TimeoutError:
            store.abandon()  # a close would wait for ever
            raise AssertionError("somebody was never answered") from None
        try:
            if not self._given_up:
                check_log(await self.log())
                if not self.engine.failed:
                    await self.check_states()
        finally:
            await self.engine.close()
        assert all(len(each.answers) == 1 for each in self.asked), "one answer for each"

    async def give_up(self) -> None:
        """Abandon the engine; its log can be read no more."""
        self._given_up = True
        async with asyncio.timeout(10):
            await self.engine.abandon()

    def closing(self) -> "asyncio.Task[None]":
        """Close the engine beside what the test does next."""
        return asyncio.ensure_future(self.engine.close())

    def tell(
        self,
        aggregate_id: str,
        asked: Ask,
        *,
        command_id: bytes | None = None,
        expected_version: int | None = None,
        must_exist: bool | None = None,
        deadline: float | None = None,
        envelope: Envelope = ANONYMOUS,
        then: Callable[[], object] = lambda: None,
    ) -> Asked:
        """Send a command; `then` is called within its answer."""
        it = Asked(then)
        self.asked.append(it)
        self.engine.commands.execute(
            Command(
                "Tally",
                aggregate_id,
                *asked,
                command_id=command_id or self.ids.fresh(),
                on_answer=it.take,
                expected_version=expected_version,
                must_exist=must_exist,
                deadline=deadline,
                envelope=envelope,
            )
        )
        return it

    def append(
        self,
        events: Sequence[Added | Proposed],
        checks: Sequence[Check] = (),
        command_id: bytes | None = None,
    ) -> "asyncio.Task[Accepted]":
        """Send a direct append."""
        proposed = [e if isinstance(e, Proposed) else added(*e) for e in events]
        mark = blake2b(repr(proposed).encode(), digest_size=16).digest()  # as at the edge
        asked = Append(proposed, checks, command_id or self.ids.fresh(), mark)
        return asyncio.ensure_future(self.engine.appends.append(asked))

    async def log(self) -> list[EventRecord]:
        return await self.store.inner.read_log(0, ALL, ALL, ALL)

    async def total(self, aggregate_id: str) -> tuple[int, int]:
        """The version and the sum that a reader sees."""
        read = await self.engine.reads.state("Tally", aggregate_id)
        return read.version, json.loads(read.data)["total"]

    async def check_states(self) -> None:
        """Every state is the fold of its events, and nothing tentative is left."""
        assert self.engine.head == len(await self.log())
        if not self.catalog.types:
            return
        for aggregate_id, folded in folded_totals(await self.log()).items():
            assert await self.total(aggregate_id) == folded


Start = Callable[..., Awaitable[Running]]
"""The fixture of that name."""


def added(aggregate_id: str, amount: int, event_type: str = "Added") -> Proposed:
    data = json.dumps({"amount": amount}).encode()
    return Proposed("Tally", aggregate_id, event_type, 1, data, None, None)


def at_version(aggregate_id: str, version: int) -> Check:
    return Check("Tally", aggregate_id, version, None)


def folded_totals(log: Sequence[EventRecord]) -> dict[str, tuple[int, int]]:
    """By hand: version and sum of each aggregate."""
    totals: dict[str, tuple[int, int]] = {}
    for event in log:
        _, total = totals.get(event.aggregate_id, (0, 0))
        amount = json.loads(event.data).get("amount", 0)
        totals[event.aggregate_id] = (event.version, total + amount)
    return totals


def check_log(log: Sequence[EventRecord]) -> None:
    """Positions are gapless, versions contiguous, times in order, commands whole."""
    assert [e.position for e in log] == list(range(1, len(log) + 1))
    versions: dict[tuple[str, str], int] = {}
    for event, after in zip(log, [*log[1:], None], strict=False):
        key = (event.aggregate_type, event.aggregate_id)
        assert event.version == versions.get(key, 0) + 1
        versions[key] = event.version
        assert after is None or event.commit_time_us <= after.commit_time_us
        same = after is not None and after.command_id == event.command_id
        assert event.more_in_command == same
    assert len({e.event_id for e in log}) == len(log)
