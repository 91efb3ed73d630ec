"""A clock that a test sets, seeded randomness, and command ids made of both."""

import random
from uuid import UUID, uuid5

DAY_US = 86_400_000_000
NOON_US = 1_760_000_000_000_000


class FakeClock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.us = NOON_US
        self.seconds = 1_000.0

    def now_us(self) -> int:
        return self.us

    def monotonic(self) -> float:
        return self.seconds

    def advance(self, by_us: int) -> None:
        """Time passes, by both clocks. Setting `us` alone is a jump of the machine's clock."""
        self.us += by_us
        self.seconds += by_us / 1_000_000


class Seeded:
    """The same bytes in every run."""

    def __init__(self, seed: int = 1) -> None:
        self._random = random.Random(seed)

    def bytes(self, count: int) -> bytes:
        return self._random.randbytes(count)


class Ids:
    """Command ids, a new one each time."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self._serial = 0

    def fresh(self, ago_us: int = 0) -> bytes:
        """A time-ordered one, made so long ago."""
        self._serial += 1
        made = (self._clock.us - ago_us) // 1_000
        return (made << 80 | 7 << 76 | 2 << 62 | self._serial).to_bytes(16, "big")

    def named(self) -> bytes:
        """One that is not time-ordered, as made of a business key."""
        self._serial += 1
        return uuid5(UUID(int=0), str(self._serial)).bytes
