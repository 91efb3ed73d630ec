"""What a whole run leaves behind: results.json, and from it alone the page and its plots."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from benchmarks.rows import Line, Row

FOLDER = Path(__file__).parent
FILE = FOLDER / "results.json"


@dataclass(frozen=True)
class Results:
    """Everything that the page is made of."""

    machine: dict[str, str]
    settings: dict[str, str]
    rows: list[Row]
    failed: dict[str, str] = field(default_factory=dict)
    """Stages that broke off."""
    durability: list[dict[str, str]] = field(default_factory=list)
    """Of each store: what it is, and how it is known that its commits are on the disk."""
    budget: dict[str, Any] = field(default_factory=dict)
    """See benchmarks.budget."""

    def value(self, workload: str) -> float | None:
        """What was measured, also where it is only the reference of a row; None where nothing was,
        or a promise was broken."""
        for row in self.rows:
            if row.workload == workload:
                return row.value if row.valid else None
        return next((r.reference_value for r in self.rows if r.reference == workload), None)


def carried(results: Results, before: Results, lines: Sequence[Line]) -> Results:
    """With the rows of the run before for lines that this one has none for, such as the soak of
    twenty minutes; each says when it was measured."""
    wanted = {(line.workload, line.reference) for line in lines}
    have = {(row.workload, row.reference) for row in results.rows}
    date = f"by itself, {before.machine['date']}"
    missing = [
        row if "by itself" in row.note else _noted(row, date)
        for row in before.rows
        if (row.workload, row.reference) in wanted - have
    ]
    return replace(results, rows=[*results.rows, *missing])


def replaced(results: Results, rows: Sequence[Row], note: str) -> Results:
    """With these rows in place of those for the same; each says that it came later, with a note."""
    named = {(row.workload, row.reference): row for row in rows}
    kept = []
    for row in results.rows:
        new = named.pop((row.workload, row.reference), None)
        kept.append(row if new is None else _noted(new, note))
    return replace(results, rows=[*kept, *(_noted(row, note) for row in named.values())])


def _noted(row: Row, note: str) -> Row:
    return replace(row, note="; ".join(each for each in (row.note, note) if each))


def write(results: Results, file: Path = FILE) -> None:
    text = json.dumps(asdict(results), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", "utf-8")


def read(file: Path = FILE) -> Results:
    found = json.loads(file.read_text("utf-8"))
    return Results(**{**found, "rows": [Row(**row) for row in found["rows"]]})
