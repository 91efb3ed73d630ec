"""RESULTS.md and its plots, from results.json.

python -m benchmarks.page
"""

from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import plan
from benchmarks.plot import Series, chart
from benchmarks.results import FOLDER, Results, read
from benchmarks.rows import TIMES, Line, Row
from benchmarks.table import figure, remark

INTRODUCTION = """\
Made by `make bench`; `python -m benchmarks.page` writes this page anew from
[results.json](results.json). Servers and their callers shared one machine, so absolute figures are
worth little elsewhere; a ratio compares two of one run, taken in turns."""
BUDGET = """\
## The budget of one command

Microseconds of processor time, but for the lines that say otherwise; by
`python -m benchmarks.budget`."""
NOTES = """\
A command of gesta always has an id and a reply, and both are stored: one that comes without an id
is given one. UmaDB stores neither. Loads of commands, appends, live subscribers, cold accounts and
the soak were recorded and held against one full read of their logs (`tests/history`). Of readers of
a long log it was seen that they were given every position once, in order; of reads of single
accounts their numbers of events; of projections how far they came. A row whose server, or whose
reference, broke a promise says INVALID."""
THROUGHPUT, LATENCY = "throughput.svg", "latency.svg"


def main() -> None:
    write(read())


def write(results: Results, folder: Path = FOLDER) -> None:
    """The page and its plots, over those that are there."""
    for name, text in files(results).items():
        (folder / name).write_text(text, "utf-8")


def files(results: Results) -> dict[str, str]:
    """What the results look like, file by file."""
    plots = _plots(results)
    return {"RESULTS.md": page(results, sorted(plots)), **plots}


def page(results: Results, plots: Iterable[str] = ()) -> str:
    """The page; `plots` are files beside it."""
    parts = [
        "# Results",
        INTRODUCTION,
        _pairs(results.machine | results.settings),
        _goals(results.rows),
        *(f"The stage {stage} broke off: {why}." for stage, why in results.failed.items()),
        *(_section(title, lines, results.rows) for title, lines in plan.SECTIONS),
        *(f"![{name.removesuffix('.svg')}]({name})" for name in plots),
        _budget(results),
        _durability(results),
        NOTES,
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _pairs(pairs: dict[str, str]) -> str:
    return _table(("", ""), list(pairs.items()))


def _goals(rows: Sequence[Row]) -> str:
    judged = [row for row in rows if row.goal and row.met is not None]
    missed = [row for row in judged if not row.met]
    broken = [row for row in rows if not row.valid]
    said = f"{len(judged) - len(missed)} of {len(judged)} goals that could be judged are met."
    if missed:
        said += " Missed: " + "; ".join(f"{row.workload} ({_missed(row)})" for row in missed) + "."
    if broken:
        said += " INVALID, for a promise was broken: " + ", ".join(each.workload for each in broken)
    return said


def _missed(row: Row) -> str:
    found = row.value if TIMES not in row.goal else row.ratio
    return f"{figure(found)}, goal {row.goal}"


def _section(title: str, lines: Sequence[Line], rows: Sequence[Row]) -> str:
    wanted = {(line.workload, line.reference) for line in lines}
    shown = [_cells(row) for row in rows if (row.workload, row.reference) in wanted]
    if not shown:
        return ""
    head = ("workload", "median", "spread", "unit", "reference", "ratio", "spread", "goal", "")
    return f"## {title}\n\n{_table(head, shown)}"


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.workload,
        figure(row.value),
        _spread(row.low, row.high),
        row.unit,
        f"{row.reference}: {figure(row.reference_value)}" if row.reference_value else row.reference,
        figure(row.ratio),
        _spread(row.ratio_low, row.ratio_high),
        row.goal,
        remark(row),
    )


def _spread(low: float | None, high: float | None) -> str:
    return "" if low is None or low == high else f"{figure(low)} to {figure(high)}"


def _budget(results: Results) -> str:
    if not results.budget:
        return ""
    head = ("part, by callers at once", *(f"{each:,}" for each in results.budget["callers"]))
    rows = [(each["part"], *map(figure, each["us"])) for each in results.budget["parts"]]
    return f"{BUDGET}\n\n{_table(head, rows)}"


def _durability(results: Results) -> str:
    if not results.durability:
        return ""
    rows = [(each["store"], each["known by"]) for each in results.durability]
    return "## How it is known that commits are on the disk\n\n" + _table(
        ("store", "known by"), rows
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plots(results: Results) -> dict[str, str]:
    made = (
        (THROUGHPUT, "Durable commands a second", "per second", ""),
        (LATENCY, "Median time to an answer", "ms", ", p50"),
    )
    return {
        name: chart(title, "callers at once", unit, series)
        for name, title, unit, suffix in made
        if (series := _by_callers(results, suffix))
    }


def _by_callers(results: Results, suffix: str) -> list[Series]:
    named = {"gesta": plan.spread, "UmaDB": plan.umadb}
    found = []
    for name, workload in named.items():
        values = [(n, results.value(workload(n) + suffix)) for n in plan.CALLERS]
        points = [(float(n), value) for n, value in values if value]
        if points:
            found.append(Series(name, points))
    return found


if __name__ == "__main__":
    main()
