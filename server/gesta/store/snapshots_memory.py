"""Snapshots in memory: the reference implementation, and what a log in memory has."""

from collections.abc import Mapping, Sequence

from gesta.store.port import LogInfo
from gesta.store.snapshots import Snapshot, SnapshotCount, thinned


class MemorySnapshots:
    """Lost when it is closed."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], dict[int, Snapshot]] = {}

    async def open(self, log: LogInfo) -> None:
        self._kept = {}

    async def find(
        self, aggregate_type: str, aggregate_id: str, fingerprint: bytes, at_most_version: int
    ) -> Snapshot | None:
        found = [
            each
            for each in self._kept.get((aggregate_type, aggregate_id), {}).values()
            if each.fingerprint == fingerprint and each.version <= at_most_version
        ]
        return max(found, key=lambda each: each.version, default=None)

    async def save(self, snapshots: Sequence[Snapshot]) -> None:
        for new in snapshots:
            key = (new.aggregate_type, new.aggregate_id)
            of_code = {
                version: each
                for version, each in self._kept.get(key, {}).items()
                if each.fingerprint == new.fingerprint
            }
            of_code[new.version] = new
            kept = thinned(list(of_code))
            self._kept[key] = {version: of_code[version] for version in kept}

    async def count(self) -> Mapping[str, SnapshotCount]:
        counts: dict[str, SnapshotCount] = {}
        for (aggregate_type, _), kept in self._kept.items():
            snapshots, aggregates, size = counts.get(aggregate_type, SnapshotCount(0, 0, 0))
            counts[aggregate_type] = SnapshotCount(
                snapshots + len(kept),
                aggregates + 1,
                size + sum(len(each.state) for each in kept.values()),
            )
        return counts

    async def clear(self, aggregate_type: str | None = None) -> int:
        gone = [key for key in self._kept if aggregate_type in (None, key[0])]
        return sum(len(self._kept.pop(key)) for key in gone)

    async def close(self) -> None:
        self._kept = {}

    def abandon(self) -> None:
        self._kept = {}
