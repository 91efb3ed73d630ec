"""How much is projected in one transaction."""

from dataclasses import dataclass

FRAMES_AHEAD_MAX = 32
"""Frames of 64 KiB read while a transaction is written: 2 MiB, which is about what the largest one
takes, so that the server reads on while the database writes."""


@dataclass(frozen=True, kw_only=True)
class TransactionLimits:
    """Of one transaction while the projection catches up; whichever is met first ends it, at the
    end of a batch. Once it is live, each batch is a transaction of its own, at once."""

    events_max: int = 25_000
    """The more events, the more of them share a page of a table that is ordered by another key than
    time; what handlers gather for `flush` is in memory until then, some hundred bytes an event."""
    duration_ms_max: int = 500
    """So far may the tables lag behind what was read, and so long do other writers of the database
    wait. Below 50 the commits begin to cost more than the rows."""

    def __post_init__(self) -> None:
        for name in ("events_max", "duration_ms_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
