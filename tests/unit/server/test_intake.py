"""The queue before the engine: what is let in, in which order it is decided, what is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from tests.integration.edge.caller import command_for
from tests.integration.edge.tally import Tally
from tests.unit.engine.chance import FakeClock
from tests.unit.server.reader import settle

from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, ExpiredInQueue, InternalError, Overloaded
from gesta.engine.limits import Limits
from gesta.engine.messages import Accepted
from gesta.server.rpc.intake import COMPANY, SLICE_MAX, SLICE_MIN, Intake
from gesta.server.rpc.requests import Requests
from gesta.server.rpc.unread import Unread
from gesta.server.wire import encode_event
from gesta.store.memory import MemoryStore

_Answer = Accepted | EngineError


class TickingClock(FakeClock):
    """Every look at it takes so many milliseconds."""

    tick_ms = 0

    def monotonic(self) -> float:
        self.advance(1_000 * self.tick_ms)
        return super().monotonic()


class Running:
    """An intake before an engine over memory, in which "a" is loaded."""

    def __init__(self, engine: Engine, clock: TickingClock, requests: Requests) -> None:
        self.engine = engine
        self.clock = clock
        self.intake = Intake(engine, requests, Unread(1 << 40))
        self.answers: list[_Answer] = []

    def put(self, commands: int, size: int = 0, time_left_s: float | None = None) -> None:
        """A message. Raises Overloaded."""
        parcel = self.intake.let_in(commands, size, time_left_s)
        for _ in range(commands):
            command = command_for("a", "add", {"amount": 1})
            self.intake.put(parcel, command, self.answers.append)

    @property
    def versions(self) -> list[int]:
        return [each.version for each in self.answers if isinstance(each, Accepted)]


Start = Callable[..., Any]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    async with AsyncExitStack() as stack:

        async def begin(requests: type[Requests] = Requests, **limits: int) -> Running:
            clock = TickingClock()
            engine = await Engine.open(
                MemoryStore(), Catalog.of(Tally), encode_event, limits=Limits(**limits), clock=clock
            )
            stack.push_async_callback(engine.close)
            run = Running(engine, clock, requests(engine))
            run.put(1)
            await settle()
            run.answers.clear()
            return run

        yield begin


async def _turn() -> None:
    await asyncio.sleep(0)


async def test_what_came_first_is_decided_first_and_a_slice_at_a_time(start: Start) -> None:
    run = await start()
    run.put(10 * SLICE_MAX)
    await _turn()
    assert run.engine.commands.waiting == SLICE_MAX
    await settle()
    assert run.versions == list(range(2, 2 + 10 * SLICE_MAX))


async def test_a_slice_of_slow_commands_ends_after_its_time(start: Start) -> None:
    run = await start()
    run.clock.tick_ms = 3
    run.put(SLICE_MIN)
    await _turn()
    assert run.engine.commands.waiting == 2
    run.clock.tick_ms = 0
    await settle()
    assert len(run.versions) == SLICE_MIN


class Timers:
    """Those of the running loop, which go off when they are told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._loop = asyncio.get_running_loop()
        self._set: list[tuple[asyncio.TimerHandle, Callable[..., None], tuple[Any, ...]]] = []
        monkeypatch.setattr(self._loop, "call_later", self._call_later)

    def _call_later(
        self, delay: float, callback: Callable[..., None], *arguments: Any
    ) -> asyncio.TimerHandle:
        handle = asyncio.TimerHandle(delay, callback, arguments, self._loop)
        self._set.append((handle, callback, arguments))
        return handle

    def go_off(self) -> None:
        timers, self._set = self._set, []
        for handle, callback, arguments in timers:
            if not handle.cancelled():
                callback(*arguments)


async def _busy(start: Start, monkeypatch: pytest.MonkeyPatch) -> tuple[Running, Timers]:
    """So many commands are under way that a call waits for others."""
    run = await start()
    timers = Timers(monkeypatch)
    run.put(COMPANY)
    await _turn()
    return run, timers


async def test_calls_that_come_while_many_are_under_way_are_decided_together_after_a_lull(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, timers = await _busy(start, monkeypatch)
    run.put(1)
    await settle()
    run.put(1)
    timers.go_off()  # one more has come since
    await settle()
    assert len(run.versions) == COMPANY
    timers.go_off()
    await _turn()
    assert run.engine.commands.waiting == 2
    await settle()
    assert run.versions == list(range(2, 2 + COMPANY + 2))


async def test_calls_that_keep_coming_are_waited_for_only_so_long(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, timers = await _busy(start, monkeypatch)
    run.put(1)
    for _ in range(4):
        await settle()
        assert len(run.versions) == COMPANY
        run.put(1)
        run.clock.advance(2_001)
        timers.go_off()
    await settle()
    assert len(run.versions) == COMPANY + 5


async def test_as_many_calls_as_make_a_slice_wait_for_no_others(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, timers = await _busy(start, monkeypatch)
    for _ in range(SLICE_MIN):
        run.put(1)
    await settle()
    timers.go_off()
    await settle()
    assert len(run.versions) == COMPANY + SLICE_MIN


async def test_a_frame_waits_for_no_others_nor_does_who_came_before_it(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, _ = await _busy(start, monkeypatch)
    run.put(1)
    run.put(2)
    await settle()
    assert len(run.versions) == COMPANY + 3


async def test_a_pause_of_the_process_as_waiting_for_others_begins_leaves_nobody_waiting(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, timers = await _busy(start, monkeypatch)
    run.clock.tick_ms = 10
    run.put(1)
    run.clock.tick_ms = 0
    timers.go_off()
    await settle()
    assert len(run.versions) == COMPANY + 1


@pytest.mark.parametrize("commands", [1, 2])
async def test_a_call_among_few_or_a_frame_waits_for_no_others(
    start: Start, monkeypatch: pytest.MonkeyPatch, commands: int
) -> None:
    run = await start()
    Timers(monkeypatch)
    run.put(COMPANY if commands > 1 else COMPANY - 1)
    await _turn()
    run.put(commands)
    await settle()
    assert len(run.versions) == (COMPANY + 2 if commands > 1 else COMPANY)


async def test_waiting_for_others_says_nothing_of_the_pace(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await start(turn_wait_ms_max=500)
    timers = Timers(monkeypatch)
    for _ in range(200):
        run.put(COMPANY)
        await _turn()
        run.put(1)
        run.clock.advance(8_000)
        timers.go_off()
        await settle()
    run.put(10_000)
    run.put(1)
    await settle()
    assert len(run.versions) == 200 * (COMPANY + 1) + 10_001


async def test_what_would_wait_too_long_going_by_the_pace_of_late_is_refused_as_it_comes(
    start: Start,
) -> None:
    run = await start(turn_wait_ms_max=500)
    run.clock.tick_ms = 5
    run.put(100)
    await settle()
    run.put(100)
    with pytest.raises(Overloaded, match="turn_wait_ms_max") as refused:
        run.put(1)
    assert refused.value.retry_after_ms == 500
    await settle()
    assert len(run.versions) == 200
    run.put(1)


async def test_a_pause_of_the_whole_process_is_forgotten_soon(start: Start) -> None:
    run = await start(turn_wait_ms_max=2_000)
    run.put(1)
    run.clock.advance(60_000_000)
    await settle()
    for _ in range(20):
        run.put(1)
        await settle()
    run.put(500)
    run.put(1)
    await settle()
    assert len(run.versions) == 522


async def test_as_many_commands_as_are_decided_in_time_are_let_in(start: Start) -> None:
    run = await start(turn_wait_ms_max=500)
    for _ in range(5):
        run.put(1_000)
        await settle()
    run.put(19_000)
    run.put(1)
    await settle()
    assert len(run.versions) == 24_001


async def test_commands_that_were_read_count_like_those_that_are_decided(start: Start) -> None:
    run = await start(commands_waiting_max=10)
    run.put(9)
    run.put(3)  # a message is let in whole
    with pytest.raises(Overloaded, match="commands_waiting_max"):
        run.put(1)
    await settle()
    run.put(1)


async def test_bytes_of_commands_are_held_until_they_are_decided(start: Start) -> None:
    run = await start(bytes_waiting_max=99_000)
    run.put(SLICE_MIN + 1, size=(SLICE_MIN + 1) * 3_000)
    with pytest.raises(Overloaded, match="bytes_waiting_max"):
        run.put(1, size=1)
    await settle()
    run.put(1, size=200_000)  # one that is too large for itself is the guard's to refuse


async def test_commands_that_wait_for_their_client_to_read_take_nobodys_place(start: Start) -> None:
    run = await start(commands_waiting_max=10, bytes_waiting_max=1_000)
    for _ in range(20):
        run.intake.let_in(9, size=900)
    run.put(9, size=900)
    await settle()
    assert len(run.versions) == 9


async def test_time_in_the_queue_counts_against_the_deadline(start: Start) -> None:
    run = await start()
    run.put(1, time_left_s=1.0)
    run.clock.advance(1_000_001)
    await settle()
    assert [type(each) for each in run.answers] == [ExpiredInQueue]


def _failing_once(error: type[BaseException]) -> type[Requests]:
    class Failing(Requests):
        calls = 0

        def command(self, *arguments: Any, **named: Any) -> Any:
            self.calls += 1
            if self.calls == 2:  # the first one loads "a"
                raise error
            return super().command(*arguments, **named)

    return Failing


async def test_a_bug_in_taking_one_command_in_is_answered_and_harms_no_other(
    start: Start,
) -> None:
    run = await start(_failing_once(ZeroDivisionError))
    run.put(2)
    await settle()
    assert [type(each) for each in run.answers] == [InternalError, Accepted]


async def test_whatever_one_command_raises_those_behind_it_have_their_turn(start: Start) -> None:
    told: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    run = await start(_failing_once(asyncio.CancelledError))
    run.put(2)
    await settle()
    assert [type(each) for each in told] == [asyncio.CancelledError]
    assert run.versions == [2]
