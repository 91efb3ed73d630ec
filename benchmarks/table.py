"""The rows as people read them on a terminal."""

from collections.abc import Sequence

from rich.table import Table

from benchmarks.rows import Row


def table(rows: Sequence[Row]) -> Table:
    shown = Table(title="gesta beside its peers, one run")
    shown.add_column("workload")
    for column in ("median", "from", "to"):
        shown.add_column(column, justify="right")
    shown.add_column("unit")
    shown.add_column("reference")
    for column in ("ratio", "goal"):
        shown.add_column(column, justify="right")
    shown.add_column("")
    for row in rows:
        shown.add_row(
            row.workload,
            *(figure(each) for each in (row.value, row.low, row.high)),
            row.unit,
            row.reference,
            figure(row.ratio),
            row.goal,
            remark(row),
        )
    return shown


def figure(value: float | None) -> str:
    """With three digits that mean something, and no more."""
    if value is None:
        return ""
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}"


def remark(row: Row) -> str:
    """What is to be known beside the figures."""
    if row.verdict != "clean":
        return row.verdict
    judged = {True: "met", False: "missed", None: ""}[row.met]
    return "; ".join(each for each in (judged, row.note) if each)
