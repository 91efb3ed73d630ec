"""From figures to rows: each workload beside its reference, with the goal and whether it is met."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.figures import Figures

TIMES = " ×"  # noqa: RUF001 - it is meant
Bound = Literal["at least", "at most"]


@dataclass(frozen=True)
class Goal:
    """A bound of the ratio, or of the value itself."""

    bound: Bound
    figure: float
    of: Literal["ratio", "value"] = "ratio"

    def __str__(self) -> str:
        sign = "≥" if self.bound == "at least" else "≤"
        return f"{sign} {self.figure:,g}" + (TIMES if self.of == "ratio" else "")

    def met(self, value: float, ratio: float | None) -> bool | None:
        """None: there is nothing to judge by."""
        found = value if self.of == "value" else ratio
        if found is None:
            return None
        return found >= self.figure if self.bound == "at least" else found <= self.figure


@dataclass(frozen=True)
class Line:
    """What a row of the table is to say."""

    workload: str
    unit: str
    reference: str = ""
    goal: Goal | None = None


@dataclass(frozen=True)
class Row:
    """One row of the results, as they are kept."""

    workload: str
    value: float | None
    unit: str
    reference: str
    ratio: float | None
    goal: str
    met: bool | None
    verdict: str
    """"clean", "INVALID: ..." for a broken promise, "skipped: ..." or "not measured"."""
    low: float | None = None
    high: float | None = None
    reference_value: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    rounds: int = 0
    note: str = ""

    @property
    def valid(self) -> bool:
        return not self.verdict.startswith("INVALID")


def rows(figures: Figures, lines: Sequence[Line]) -> list[Row]:
    """One for each line whose two figures are known, or are said to be missing."""
    return [row for line in lines if (row := _row(figures, line)) is not None]


def _row(figures: Figures, line: Line) -> Row | None:
    found = figures.summary(line.workload)
    goal = "" if line.goal is None else str(line.goal)
    if found is None:
        reason = figures.why_skipped(line.workload)
        if reason is None:
            return None
        verdict = f"skipped: {reason}"
        return Row(line.workload, None, line.unit, line.reference, None, goal, None, verdict)
    if line.reference and not _known(figures, line.reference):
        return None
    ratio = figures.ratio(line.workload, line.reference) if line.reference else None
    theirs = figures.summary(line.reference) if line.reference else None
    # A ratio to a reference that broke a promise is worth as little as one of a load that did.
    broken = [
        why for name in (line.workload, line.reference) for why in figures.broken.get(name, ())
    ]
    met = None
    if line.goal is not None and not broken:
        met = line.goal.met(found.median, ratio.median if ratio else None)
    return Row(
        line.workload,
        found.median,
        line.unit,
        line.reference,
        ratio.median if ratio else None,
        goal,
        met,
        f"INVALID: {broken[0]}" if broken else "clean",
        found.low,
        found.high,
        theirs.median if theirs else None,
        ratio.low if ratio else None,
        ratio.high if ratio else None,
        len(figures.values[line.workload]),
        figures.notes.get(line.workload) or _missing(figures, line.reference),
    )


def _known(figures: Figures, name: str) -> bool:
    """Whether it was measured, or is said to be missing."""
    return figures.summary(name) is not None or figures.why_skipped(name) is not None


def _missing(figures: Figures, reference: str) -> str:
    reason = figures.why_skipped(reference) if reference else None
    return f"{reference}: skipped, {reason}" if reason else ""
