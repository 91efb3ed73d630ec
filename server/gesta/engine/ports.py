"""What the engine asks of the machine: the time, and chance. Ports, so that a run can be repeated.

The store is the third port: `gesta.store.port`.
"""

import os
import time
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one that people read, and one that only ever goes forward."""

    def now_us(self) -> int:
        """Microseconds since 1970 UTC. May jump, also backwards."""

    def monotonic(self) -> float:
        """Seconds since some moment; for deadlines and idle times."""


class Randomness(Protocol):
    """Where ids come from."""

    def bytes(self, count: int) -> bytes:
        """That many bytes that nobody can foresee."""


class SystemClock:
    """The machine's clocks."""

    def now_us(self) -> int:
        return time.time_ns() // 1_000

    def monotonic(self) -> float:
        return time.monotonic()


class SystemRandomness:
    """The operating system's randomness."""

    def bytes(self, count: int) -> bytes:
        return os.urandom(count)
