"""Time as the log sees it: it never runs backwards, whatever the machine's clock does."""

import logging

from gesta.engine.ports import Clock

_LOG = logging.getLogger("gesta.engine")
_BEHIND_REPORT_US = 1_000_000
_REPORT_EVERY_S = 60.0


class LogTime:
    """Hands out times that are never before the last commit, nor before each other.

    Times handed out since the last commit are given back when that commit fails.
    """

    def __init__(self, clock: Clock, last_commit_time_us: int) -> None:
        self._clock = clock
        self._confirmed_us = last_commit_time_us
        self._latest_us = last_commit_time_us
        self._reported = float("-inf")
        self._began_us = clock.now_us()
        self._began_s = clock.monotonic()
        self._behind_us = 0
        """By how much a commit was stamped too early, at most: while the clock was set back."""

    def now_us(self) -> int:
        """Now, for a decision or a commit."""
        now = self._clock.now_us()
        if now >= self._latest_us:
            self._latest_us = now
        elif now < self._confirmed_us - _BEHIND_REPORT_US:
            self._report(now)
        return self._latest_us

    def certain_us(self) -> int:
        """A time that has come for certain, for deciding what may be forgotten for good.

        A clock that jumps ahead while the server runs, and perhaps back again, does not move it;
        and what was committed while it was behind counts as committed when it was.
        """
        return min(self._clock.now_us(), self._unswayed_us()) - self._behind_us

    def confirm(self, commit_time_us: int) -> None:
        """A commit with this time is on the disk."""
        self._confirmed_us = commit_time_us
        self._behind_us = max(self._behind_us, self._unswayed_us() - commit_time_us)

    def revert(self) -> None:
        """What was handed out since the last commit was never written."""
        self._latest_us = self._confirmed_us

    def _unswayed_us(self) -> int:
        """The time at the start, and what has passed since: whatever was done to the clock."""
        return self._began_us + int((self._clock.monotonic() - self._began_s) * 1_000_000)

    def _report(self, now: int) -> None:
        if self._clock.monotonic() - self._reported < _REPORT_EVERY_S:
            return
        self._reported = self._clock.monotonic()
        _LOG.warning(
            "the clock is %.1f s behind the last commit; events are stamped with the commit's time",
            (self._confirmed_us - now) / 1_000_000,
        )
