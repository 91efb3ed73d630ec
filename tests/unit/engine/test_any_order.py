"""Commands, appends, reads, failures and evictions in any order: all that was told is borne out by
the log in the end, and each answer rests on nothing that is not in it."""

import asyncio
import random
from collections import defaultdict
from types import UnionType

import pytest
from tests.unit.engine.harness import Asked, Running, Start, at_version, settle
from tests.unit.engine.tally import Ask, add, ask, take

from gesta.engine.errors import (
    AggregateNotFound,
    CommandIdReused,
    EngineError,
    Outcome,
    Overloaded,
    Refused,
    StorageIsFull,
    VersionConflict,
)
from gesta.engine.limits import Limits
from gesta.engine.messages import Accepted, Check
from gesta.store.port import StorageFull

FEW = Limits(
    aggregates_live_max=3,
    batch_events_max=4,
    command_ids_in_memory_max=8,
    load_page_events=2,
    loads_at_once_max=2,
)


class Play:
    """One run of many steps, drawn from one seed."""

    def __init__(self, run: Running, seed: int) -> None:
        self.run = run
        self.chance = random.Random(seed)
        self.told: list[tuple[str, Ask, bytes, Asked]] = []
        self.appended: list[tuple[bytes, asyncio.Task[Accepted]]] = []
        self.reads: list[tuple[str, int, asyncio.Task[tuple[int, int]]]] = []
        self.valves = (run.store.appends, run.store.written, run.store.loads, run.store.look_ups)

    async def step(self) -> None:
        run, chance, on = self.run, self.chance, self.chance.choice("abcd")
        match chance.choice("ccccccaarrrvvvvflset"):
            case "c":
                self.tell(on)
            case "a":
                both = [(on, chance.randint(1, 9)), (chance.choice("abcd"), 1)]
                checks = [at_version(on, chance.randint(0, 9))] if chance.random() < 0.5 else []
                self.append(both, checks)
            case "r":
                acknowledged = max((v for v, _, _ in self.accepted(on)), default=0)
                self.reads.append((on, acknowledged, asyncio.ensure_future(run.total(on))))
            case "v":
                valve = chance.choice(self.valves)
                chance.choice([valve.close, valve.open])()
            case "l":
                valve = chance.choice(self.valves)
                if valve.waiting:
                    valve.let()
            case "f":
                run.store.fail_append(StorageFull())
            case "e":
                run.engine._registry.passivate_idle(0)
            case "t":
                run.clock.advance(300_000)
            case "s":
                await settle()
        if chance.random() < 0.3:
            await asyncio.sleep(0)

    def tell(self, on: str) -> None:
        """A new command, or an old one again."""
        chance = self.chance
        if self.told and chance.random() < 0.25:
            on, asked, command_id, _ = chance.choice(self.told)
            expected = None
        else:
            kinds = [add(chance.randint(1, 9)), take(chance.randint(1, 30)), ask("look")]
            asked = chance.choice([*kinds, ask("add_each", amounts=[1, 2, 3])])
            command_id = chance.choice([self.run.ids.fresh, self.run.ids.named])()
            expected = chance.choice([None, None, chance.randint(0, 9)])
        it = self.run.tell(on, asked, command_id=command_id, expected_version=expected)
        self.told.append((on, asked, command_id, it))

    def append(self, both: list[tuple[str, int]], checks: list[Check]) -> None:
        command_id = self.run.ids.fresh()
        self.appended.append((command_id, self.run.append(both, checks, command_id)))

    def accepted(self, on: str) -> list[tuple[int, Ask, Accepted]]:
        answers = [(asked, it.answers) for to, asked, _, it in self.told if to == on]
        found = [(asked, one) for asked, each in answers for one in each]
        return [(one.version, asked, one) for asked, one in found if isinstance(one, Accepted)]

    async def end(self) -> None:
        self.run.store.append_failures.clear()
        for valve in self.valves:
            valve.open()
        for _, _, _, it in self.told:
            await it.answer()
        await asyncio.gather(*(task for _, task in self.appended), return_exceptions=True)
        await asyncio.gather(*(task for _, _, task in self.reads), return_exceptions=True)


class Truth:
    """What the log says."""

    def __init__(self) -> None:
        self.totals: dict[str, list[int]] = defaultdict(lambda: [0])
        """Of each aggregate, by version."""
        self.events: dict[bytes, list[int]] = defaultdict(list)
        """Of each command: the positions."""

    @classmethod
    async def of(cls, run: Running) -> "Truth":
        truth = cls()
        for event in await run.log():
            amount = int(event.data.split(b'"amount":')[1].lstrip().split(b",")[0].strip(b" }"))
            totals = truth.totals[event.aggregate_id]
            totals.append(totals[-1] + amount)
            truth.events[event.command_id].append(event.position)
        return truth


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_the_order_every_answer_is_borne_out_by_the_log(
    start: Start, seed: int
) -> None:
    play = Play(await start(FEW), seed)
    for _ in range(250):
        await play.step()
    await play.end()
    await check_all(play, StorageIsFull | Overloaded | CommandIdReused)


async def check_all(play: Play, others: type[EngineError] | UnionType) -> None:
    """All that was told is borne out by the log; `others` are the errors that rest on no state."""
    truth = await Truth.of(play.run)
    first: dict[bytes, Accepted] = {}
    for on, _, command_id, it in play.told:
        (answer,) = it.answers
        if isinstance(answer, Accepted):
            assert truth.totals[on][answer.version] == int(answer.reply)
            assert first.setdefault(command_id, answer)._replace(replayed=True) == answer._replace(
                replayed=True
            )
            assert truth.events[command_id][-1:] == [answer.position] * bool(answer.event_count)
            assert len(truth.events[command_id]) == answer.event_count
        else:
            check_error(truth, on, answer, others)
    for command_id, task in play.appended:
        if task.cancelled():
            continue
        error = task.exception()
        if error is None:
            assert truth.events[command_id][-1] == task.result().position
        else:
            assert isinstance(error, EngineError)
            assert error.outcome is Outcome.NOT_DONE
            assert not truth.events[command_id]
    known = set(first) | {command_id for command_id, _ in play.appended}
    assert {each for each, positions in truth.events.items() if positions} <= known
    for on, acknowledged, read in play.reads:
        check_read(truth, on, acknowledged, read)


def check_error(
    truth: Truth, on: str, error: EngineError, others: type[EngineError] | UnionType
) -> None:
    """It rests on a state that was committed."""
    assert error.outcome is Outcome.NOT_DONE
    if isinstance(error, Refused):
        assert int(error.details["have"]) in truth.totals[on]
    elif isinstance(error, VersionConflict):
        assert error.actual < len(truth.totals[on])
    else:
        assert isinstance(error, others)


def check_read(
    truth: Truth, on: str, acknowledged: int, read: "asyncio.Task[tuple[int, int]]"
) -> None:
    """It saw a state that was committed, and none older than what was acknowledged before it."""
    error = read.exception()
    if error is None:
        version, total = read.result()
        assert acknowledged <= version
        assert truth.totals[on][version] == total
    elif isinstance(error, AggregateNotFound):
        assert acknowledged == 0
    else:
        assert isinstance(error, Overloaded)
