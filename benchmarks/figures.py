"""What was measured, round by round, and what became of it: medians, spreads, verdicts."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class Figures:
    """By name: a workload of gesta's, or a peer or reference with what it was asked."""

    values: dict[str, list[float]] = field(default_factory=dict)
    """One for each round."""
    broken: dict[str, list[str]] = field(default_factory=dict)
    """Promises that were not kept while this was measured. Such a figure counts for nothing."""
    skipped: dict[str, str] = field(default_factory=dict)
    """What could not be had here, by the beginning of its figures' names, and why."""
    failed: dict[str, str] = field(default_factory=dict)
    """Stages that broke off, and what with; the others went on."""
    notes: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, value: float, broken: Sequence[str] = ()) -> None:
        self.values.setdefault(name, []).append(value)
        if broken:
            self.broken.setdefault(name, []).extend(broken)

    def skip(self, peer: str, reason: str) -> None:
        """All figures whose names begin with the peer's are not to be had."""
        self.skipped[peer] = reason

    def why_skipped(self, name: str) -> str | None:
        return next((why for peer, why in self.skipped.items() if name.startswith(peer)), None)

    def summary(self, name: str) -> "Summary | None":
        """None where nothing was measured under this name."""
        values = self.values.get(name)
        return Summary.of(values) if values else None

    def ratio(self, name: str, reference: str) -> "Summary | None":
        """Of the medians; its spread is that of the ratios within each round."""
        ours, theirs = self.values.get(name), self.values.get(reference)
        if not ours or not theirs or not statistics.median(theirs):
            return None
        by_round = [a / b for a, b in zip(ours, theirs, strict=False) if b]
        of_medians = statistics.median(ours) / statistics.median(theirs)
        return Summary(of_medians, min(by_round), max(by_round))


@dataclass(frozen=True)
class Summary:
    """A median and how far the rounds lie apart."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Summary":
        return cls(statistics.median(values), min(values), max(values))
