"""The time of the log never runs backwards, whatever the clock does: "then" has one answer."""

import json
from itertools import pairwise

import pytest
from tests.unit.engine.harness import Running
from tests.unit.engine.tally import add

from gesta.engine.history import Moment
from gesta.engine.log_time import LogTime

MINUTE_US = 60_000_000
JUMPS = (0, 5, -10, -10, 3, -30, 60, -1, -1, -1, 90, 0, -45)
"""Minutes by which the clock is set forth and back, one before each command."""


async def test_commit_times_never_run_backwards_though_the_clock_does_and_servers_restart(
    run: Running,
) -> None:
    for number, minutes in enumerate(JUMPS):
        run.clock.us += minutes * MINUTE_US
        if number % 4 == 3:
            await run.restart()
        await run.tell("a", add(1 << number)).accepted()
        await run.tell("b", add(1)).accepted()
    times = [event.commit_time_us for event in await run.log()]
    assert len(times) == 2 * len(JUMPS)
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert len(set(times)) < len(times) / 2  # or the clock was never behind


async def test_a_state_at_a_time_is_that_after_the_last_event_committed_by_then(
    run: Running,
) -> None:
    for number, minutes in enumerate(JUMPS):
        run.clock.us += minutes * MINUTE_US
        await run.tell("a", add(1 << number)).accepted()
    run.clock.us += 100 * MINUTE_US
    log = await run.log()
    for event in log:
        by_then = [each.version for each in log if each.commit_time_us <= event.commit_time_us]
        found = await run.engine.history.state("Tally", "a", Moment(time_us=event.commit_time_us))
        assert found.version == max(by_then)
        assert json.loads(found.data)["total"] == (1 << found.version) - 1


def test_a_clock_far_behind_the_log_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    class Behind:
        def now_us(self) -> int:
            return 0

        def monotonic(self) -> float:
            return 0.0

    assert LogTime(Behind(), MINUTE_US).now_us() == MINUTE_US
    (record,) = caplog.records
    assert "behind" in record.getMessage()
