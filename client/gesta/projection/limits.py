"""How much is projected in one transaction."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class TransactionLimits:
    """Of one transaction while the projection catches up; whichever is met first ends it, at the
    end of a batch. Once it is live, each batch is a transaction of its own, at once."""

    events_max: int = 10_000
    """A commit costs about as much as a hundred events, so more would gain nothing; each of them is
    an object in memory until then."""
    bytes_max: int = 8 * 1024 * 1024
    """Of payloads: 10,000 events of the greatest size would not fit in memory."""
    wait_ms_max: int = 500
    """How long events that were read may wait for others: so far may the tables lag behind a slow
    server, or a filter that finds little."""
    write_ms_max: int = 1_000
    """How long handlers may write in it, roughly: other writers of the same tables wait so long."""

    def __post_init__(self) -> None:
        for name in ("events_max", "bytes_max", "wait_ms_max", "write_ms_max"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
