"""The page and its plots are what results.json says, and the committed ones are made of it."""

import xml.etree.ElementTree as Xml
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks import page, plan, results
from benchmarks.figures import Figures
from benchmarks.plot import Series, chart
from benchmarks.results import Results
from benchmarks.rows import rows


@pytest.fixture
def found() -> Results:
    """A run in which everything was measured, and was 2 but for one thing that was 1."""
    figures = Figures()
    for name in {each for line in plan.LINES for each in (line.workload, line.reference) if each}:
        figures.add(name, 2.0)
    figures.values[plan.HOT] = [1.0]
    return Results({"Python": "3.11"}, {"rounds": "3"}, rows(figures, plan.LINES))


def test_results_are_read_as_they_were_written(found: Results, tmp_path: Path) -> None:
    results.write(found, tmp_path / "results.json")
    assert results.read(tmp_path / "results.json") == found


def test_a_share_takes_the_place_of_its_rows_and_says_so(found: Results) -> None:
    soak = next(row for row in found.rows if row.workload.startswith("soak"))
    later = results.replaced(found, [replace(soak, value=3.0)], "by itself")
    assert [row.value for row in later.rows if row.workload == soak.workload] == [3.0]
    assert "by itself" in page.page(later)
    assert len(later.rows) == len(found.rows)


def test_a_whole_run_keeps_what_it_did_not_measure_with_its_date(found: Results) -> None:
    before = replace(found, machine={"date": "yesterday"})
    soaks = [row for row in found.rows if row.workload.startswith("soak")]
    strange = replace(found.rows[0], workload="what is measured no more")
    before = replace(before, rows=[*before.rows, strange])
    later = replace(found, rows=[row for row in found.rows if row not in soaks])
    carried = results.carried(later, before, plan.LINES)
    assert carried.rows == [
        *later.rows,
        *(replace(row, note="by itself, yesterday") for row in soaks),
    ]
    again = results.carried(later, replace(carried, machine={"date": "today"}), plan.LINES)
    assert again.rows == carried.rows


def test_the_page_has_every_row(found: Results) -> None:
    text = page.page(found)
    assert [row.workload for row in found.rows if f"\n| {row.workload} |" not in text] == []
    assert "| Python | 3.11 |" in text


def test_the_page_begins_with_what_was_missed(found: Results) -> None:
    assert f"{plan.HOT} (0.50, goal ≥ 0.9 ×)" in page.page(found)  # noqa: RUF001 - it is meant


def test_an_invalid_row_is_said_to_be_one_and_is_not_drawn(found: Results) -> None:
    workload = plan.spread(64)
    broken = [
        replace(row, verdict="INVALID: LOST") if row.workload == workload else row
        for row in found.rows
    ]
    files = page.files(replace(found, rows=broken))
    assert f"INVALID, for a promise was broken: {workload}" in files["RESULTS.md"]
    assert points(files[page.THROUGHPUT]) == points(page.files(found)[page.THROUGHPUT]) - 1


def test_a_stage_that_broke_off_is_named(found: Results) -> None:
    text = page.page(replace(found, failed={"soak": "TimeoutError: too long"}))
    assert "The stage soak broke off: TimeoutError: too long." in text


def test_there_is_a_plot_of_throughput_and_one_of_latency(found: Results) -> None:
    files = page.files(found)
    for name in (page.THROUGHPUT, page.LATENCY):
        assert points(files[name]) == 2 * len(plan.CALLERS)
        assert f"]({name})" in files["RESULTS.md"]


def test_a_chart_has_its_points_where_they_belong() -> None:
    drawn = chart("a < b", "x", "y", [Series("s", [(1, 10), (10, 100), (100, 10)])])
    first, second, third = [each.attrib for each in circles(drawn)]
    across = [float(each["cx"]) for each in (first, second, third)]
    assert across[1] - across[0] == pytest.approx(across[2] - across[1], abs=0.2)
    assert first["cy"] == third["cy"]
    assert float(second["cy"]) < float(first["cy"])


def test_no_workload_is_held_against_the_same_twice() -> None:
    names = [(line.workload, line.reference) for line in plan.LINES]
    assert len(names) == len(set(names))


@pytest.mark.skipif(not results.FILE.exists(), reason="nothing was measured yet")
def test_the_committed_page_is_what_the_committed_results_make() -> None:
    made = page.files(results.read())
    committed = {name: (results.FOLDER / name).read_text("utf-8") for name in made}
    assert committed == made


def points(drawn: str) -> int:
    return len(circles(drawn))


def circles(drawn: str) -> list[Xml.Element]:
    return list(Xml.fromstring(drawn).iter("{http://www.w3.org/2000/svg}circle"))
