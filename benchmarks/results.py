"""What a whole run leaves behind: results.json, and from it alone the page and its plots."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.rows import Row

FOLDER = Path(__file__).parent
FILE = FOLDER / "results.json"


@dataclass(frozen=True)
class Results:
    """Everything that the page is made of."""

    machine: dict[str, str]
    settings: dict[str, str]
    rows: list[Row]
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


def write(results: Results, file: Path = FILE) -> None:
    text = json.dumps(asdict(results), indent=1, ensure_ascii=False)
    file.write_text(text + "\n", "utf-8")


def read(file: Path = FILE) -> Results:
    found = json.loads(file.read_text("utf-8"))
    return Results(**{**found, "rows": [Row(**row) for row in found["rows"]]})
