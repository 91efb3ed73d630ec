"""Projections as they report themselves, and waits for them: who is heard, what ends a wait."""

import asyncio
from collections.abc import Callable

import pytest
from tests.unit.engine.harness import Running, Start
from tests.unit.engine.tally import add, ask

from gesta.engine.errors import CorruptEvent, Overloaded, SessionSuperseded, StorageUnavailable
from gesta.engine.limits import Limits
from gesta.engine.projections import Projections, Standing
from gesta.store.port import CorruptLog, StorageFailed, StoreError

LONG_S = 3_600.0
"""Longer than any test: what ends before has another reason."""
SILENT_S = Limits().projection_silent_ms / 1_000
OLD, NEW = (number.to_bytes(6, "big") + bytes(10) for number in (1, 2))


class Heard:
    """How waits ended, in order."""

    def __init__(self, projections: Projections) -> None:
        self._projections = projections
        self.ends: dict[str, tuple[str, ...]] = {}
        self._news = asyncio.Event()

    def wait(self, label: str, *names: str, at: int, timeout_s: float = LONG_S) -> None:
        self._projections.wait(names, at, timeout_s, self.ending(label))

    def ending(self, label: str) -> Callable[[tuple[str, ...]], None]:
        def ended(pending: tuple[str, ...]) -> None:
            assert label not in self.ends, "told once"
            self.ends[label] = pending
            self._news.set()

        return ended

    async def next(self) -> dict[str, tuple[str, ...]]:
        async with asyncio.timeout(5):
            await self._news.wait()
        self._news.clear()
        return self.ends


@pytest.fixture
async def run(start: Start) -> Running:
    return await start()


@pytest.fixture
def heard(run: Running) -> Heard:
    return Heard(run.engine.projections)


async def _standing(run: Running) -> Standing:
    (standing,), _ = await run.engine.projections.standings()
    return standing


async def test_a_wait_ends_when_the_last_of_its_projections_is_there(
    run: Running, heard: Heard
) -> None:
    report = run.engine.projections.report
    heard.wait("both", "accounts", "statements", at=7)
    report("accounts", OLD, 7)
    report("statements", OLD, 6)
    assert heard.ends == {}
    report("statements", OLD, 8)
    assert heard.ends == {"both": ()}
    heard.wait("again", "accounts", "statements", at=7)
    assert heard.ends["again"] == ()


async def test_a_wait_that_is_over_tells_who_is_pending_in_the_order_asked(
    run: Running, heard: Heard
) -> None:
    run.engine.projections.report("b", OLD, 7)
    heard.wait("late", "c", "b", "a", at=7, timeout_s=0.001)
    assert await heard.next() == {"late": ("c", "a")}
    run.engine.projections.report("a", OLD, 7)
    heard.wait("no time", "c", "b", "a", at=7, timeout_s=0)
    assert heard.ends["no time"] == ("c",)


async def test_a_report_ends_only_the_waits_that_it_covers(run: Running, heard: Heard) -> None:
    for position in (9, 3, 5):
        heard.wait(str(position), "accounts", at=position)
    run.engine.projections.report("accounts", OLD, 5)
    assert heard.ends == {"3": (), "5": ()}
    run.engine.projections.report("statements", OLD, 9)
    assert heard.ends == {"3": (), "5": ()}
    run.engine.projections.report("accounts", OLD, 9)
    assert heard.ends["9"] == ()


async def test_nobody_waits_for_a_projection_that_has_fallen_silent(
    run: Running, heard: Heard
) -> None:
    run.engine.projections.report("accounts", OLD, 3)
    run.clock.seconds += SILENT_S
    heard.wait("dead", "accounts", at=4)
    assert heard.ends == {"dead": ("accounts",)}
    heard.wait("there before it died", "accounts", at=3)
    assert heard.ends["there before it died"] == ()
    heard.wait("beside one unheard of", "accounts", "statements", at=4)
    assert len(heard.ends) == 2
    run.engine.projections.report("statements", OLD, 4)
    assert heard.ends["beside one unheard of"] == ("accounts",)
    run.engine.projections.report("accounts", OLD, 3)
    heard.wait("back", "accounts", at=4)
    assert "back" not in heard.ends


async def test_one_that_was_silent_and_is_there_in_time_is_not_pending(
    run: Running, heard: Heard
) -> None:
    run.engine.projections.report("accounts", OLD, 3)
    run.clock.seconds += SILENT_S
    heard.wait("both", "accounts", "statements", at=4)
    run.engine.projections.report("accounts", OLD, 4)
    assert heard.ends == {}
    run.engine.projections.report("statements", OLD, 4)
    assert heard.ends == {"both": ()}


async def test_a_wait_that_is_cancelled_tells_nobody_and_makes_room(start: Start) -> None:
    run = await start(Limits(projection_waits_max=1))
    heard, projections = Heard(run.engine.projections), run.engine.projections
    wait = projections.wait(["accounts"], 1, LONG_S, heard.ending("gone"))
    assert wait is not None
    assert projections.full
    wait.cancel()
    assert not run.engine.projections.full
    wait.cancel()
    projections.report("accounts", OLD, 1)
    assert heard.ends == {}


async def test_a_wait_without_room_ends_at_once_with_what_is_pending(start: Start) -> None:
    run = await start(Limits(projection_waits_max=1))
    heard = Heard(run.engine.projections)
    heard.wait("first", "accounts", at=1)
    heard.wait("second", "accounts", at=1)
    assert heard.ends == {"second": ("accounts",)}
    run.engine.projections.report("accounts", OLD, 1)
    assert heard.ends["first"] == ()
    heard.wait("third", "accounts", at=2)
    assert "third" not in heard.ends


async def test_the_bytes_that_waits_hold_are_bounded(start: Start) -> None:
    run = await start(Limits(projection_waits_bytes_max=1_000))
    heard, projections = Heard(run.engine.projections), run.engine.projections
    projections.wait(["accounts"], 1, LONG_S, heard.ending("large"), size=1_000)
    heard.wait("small", "accounts", at=1)
    assert heard.ends == {"small": ("accounts",)}
    projections.report("accounts", OLD, 1)
    assert not projections.full


async def test_a_server_that_stops_ends_every_wait_and_each_that_would_begin(
    run: Running, heard: Heard
) -> None:
    heard.wait("a", "accounts", at=1)
    heard.wait("b", "accounts", "statements", at=2)
    run.engine.drain()
    assert heard.ends == {"a": ("accounts",), "b": ("accounts", "statements")}
    heard.wait("c", "accounts", at=1)
    assert heard.ends["c"] == ("accounts",)


async def test_the_newest_session_is_heard_and_an_older_one_is_told(run: Running) -> None:
    report = run.engine.projections.report
    report("accounts", OLD, 5)
    report("accounts", NEW, 3)  # its tables may be others: it begins where they are
    with pytest.raises(SessionSuperseded) as told:
        report("accounts", OLD, 6)
    assert (told.value.name, told.value.session) == ("accounts", NEW)
    assert run.engine.projections.pending(["accounts"], 4) == ("accounts",)
    report("accounts@rebuild", OLD, 1)


async def test_a_refused_report_is_no_sign_of_life(run: Running) -> None:
    run.engine.projections.report("accounts", NEW, 3)
    run.clock.seconds += SILENT_S - 1
    with pytest.raises(SessionSuperseded):
        run.engine.projections.report("accounts", OLD, 5)
    run.clock.seconds += 1
    assert (await _standing(run)).silent


async def test_an_older_session_is_heard_again_once_the_newer_one_is_silent(run: Running) -> None:
    """It may be newer in truth, on a machine whose clock is behind."""
    report = run.engine.projections.report
    report("accounts", NEW, 3)
    run.clock.seconds += SILENT_S
    report("accounts", OLD, 2)
    assert run.engine.projections.pending(["accounts"], 3) == ("accounts",)
    report("accounts", NEW, 3)
    with pytest.raises(SessionSuperseded):
        report("accounts", OLD, 4)


async def test_a_report_that_comes_late_takes_nothing_back(run: Running) -> None:
    run.engine.projections.report("accounts", OLD, 5)
    run.clock.seconds += SILENT_S - 1
    run.engine.projections.report("accounts", OLD, 4)
    run.clock.seconds += 1
    assert run.engine.projections.pending(["accounts"], 5) == ()
    assert not (await _standing(run)).silent


async def test_a_new_name_takes_the_place_of_the_one_that_is_silent_longest(start: Start) -> None:
    run = await start(Limits(projections_max=2))
    report = run.engine.projections.report
    report("a", OLD, 0)
    run.clock.seconds += 1
    report("b", OLD, 0)
    with pytest.raises(Overloaded):
        report("c", OLD, 0)
    run.clock.seconds += SILENT_S - 1
    report("c", OLD, 0)
    names = [each.name for each in (await run.engine.projections.standings())[0]]
    assert names == ["b", "c"]
    with pytest.raises(Overloaded):
        report("a", OLD, 0)


async def test_the_lag_is_counted_from_the_first_event_that_is_missing(run: Running) -> None:
    for _ in range(3):
        await run.tell("a", add()).accepted()
        run.clock.us += 10_000_000
    run.engine.projections.report("accounts", OLD, 1)
    run.clock.us += 5_000_000
    standing = await _standing(run)
    assert (standing.lag_events, standing.lag_us) == (2, 25_000_000)
    assert standing.heard_at_us == run.clock.us - 5_000_000
    run.engine.projections.report("accounts", OLD, 3)
    standing = await _standing(run)
    assert (standing.position, standing.lag_events, standing.lag_us) == (3, 0, 0)


async def test_a_projection_at_the_start_lags_by_the_whole_log(run: Running) -> None:
    run.engine.projections.report("accounts", OLD, 0)
    assert (await _standing(run))[2:5] == (0, 0, 0)
    await run.tell("a", ask("flood", count=2)).accepted()
    run.clock.us += 1_000_000
    assert (await _standing(run))[2:5] == (0, 2, 1_000_000)


@pytest.mark.parametrize(
    ("trouble", "told"),
    [(CorruptLog("bad", 1), CorruptEvent), (StorageFailed("gone"), StorageUnavailable)],
)
async def test_a_log_that_cannot_be_read_is_told_as_for_every_read(
    run: Running, monkeypatch: pytest.MonkeyPatch, trouble: StoreError, told: type[Exception]
) -> None:
    async def failing(after: int, until: int, limit: int, bytes_max: int) -> None:
        raise trouble

    await run.tell("a", add()).accepted()
    run.engine.projections.report("accounts", OLD, 0)
    with monkeypatch.context() as patch:
        patch.setattr(run.store, "read_log", failing)
        with pytest.raises(told):
            await run.engine.projections.standings()
