"""The port that every keeper of snapshots implements, and the records that cross it.

What is kept can be lost at any time: a snapshot saves the time of folding a stream, and nothing
rests on it. A keeper therefore never raises for anything that can happen to its file; it says so in
the log, and finds nothing. Whoever uses a snapshot holds it against the log first.
The same contract tests run over every implementation: `tests/contract/`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from gesta.store.port import LogInfo

SNAPSHOTS_PER_AGGREGATE_MAX = 16
"""For looking back, too: the last few, and before them ever fewer, so that a state of long ago is
folded from a snapshot at most about as far away, in events, as that state is from the present."""

_NEWEST = 4
"""Of them, the last ones are all kept."""


class Snapshot(NamedTuple):
    """A state that was confirmed, and the event it was taken after."""

    aggregate_type: str
    aggregate_id: str
    version: int
    position: int
    event_checksum: int
    """The checksum of the event at that version, which must still be the one in the log."""
    fingerprint: bytes
    """16 bytes: the code that folded it."""
    state: bytes
    """JSON."""


class SnapshotCount(NamedTuple):
    """What is kept of one aggregate type."""

    snapshots: int
    aggregates: int
    state_bytes: int


class SnapshotStore(Protocol):
    """Keeps snapshots of one incarnation of one log. `open` comes first and once, `close` last."""

    async def open(self, log: LogInfo) -> None:
        """What is kept of another log, or of another incarnation of this one, is dropped."""

    async def find(
        self, aggregate_type: str, aggregate_id: str, fingerprint: bytes, at_most_version: int
    ) -> Snapshot | None:
        """The newest one by this code, not after that version; None where there is none."""

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        """Keep these, and drop what `thinned` does not keep, and all that is of other code.

        Of two for one version the later one stays. Not kept where there is no room.
        """

    async def count(self) -> Mapping[str, SnapshotCount]:
        """What is kept, by aggregate type."""

    async def clear(self, aggregate_type: str | None = None) -> int:
        """Drop those of a type, or all; how many there were."""

    async def close(self) -> None:
        """Release everything. Idempotent; never raises."""

    def abandon(self) -> None:
        """Release threads at once and synchronously, for a process that is failing. Idempotent."""


def thinned(versions: Sequence[int]) -> set[int]:
    """Which of an aggregate's snapshots to keep, at most SNAPSHOTS_PER_AGGREGATE_MAX.

    The newest few; where more are kept than there may be, of the others the one goes whose
    neighbours are closest together for how far they are from the newest.
    """
    kept = sorted(versions)
    while len(kept) > SNAPSHOTS_PER_AGGREGATE_MAX:
        newest = kept[-1]
        candidates = range(len(kept) - _NEWEST)
        dropped = min(
            candidates,
            key=lambda i: (kept[i + 1] - (kept[i - 1] if i else 0)) / (newest - kept[i]),
        )
        del kept[dropped]
    return set(kept)
