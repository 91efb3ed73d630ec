"""No read and no start looks at more rows than it answers with, however long the log is."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
from tests.unit.store.logs import write_log

from gesta.store import SqliteStore, answers, newest_ids, packed, reading
from gesta.store.connection import JobConnection
from gesta.store.sqlite import FILE

STATEMENTS = {
    name: value
    for module in (reading, answers, newest_ids, packed)
    for name, value in vars(module).items()
    if isinstance(value, str) and value.startswith("SELECT") and "?" in value
}


@pytest.fixture
async def tool(tmp_path: Path) -> AsyncIterator[sqlite3.Connection]:
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as connection:
        yield connection


def _plan(tool: sqlite3.Connection, statement: str) -> str:
    parameters = [None] * statement.count("?")
    steps = tool.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
    return "\n".join(step[3] for step in steps)


def test_there_are_statements_to_look_at() -> None:
    assert len(STATEMENTS) >= 10


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_read_goes_straight_to_its_rows(tool: sqlite3.Connection, name: str) -> None:
    plan = _plan(tool, STATEMENTS[name])
    first, _, rest = plan.partition("\nCORRELATED SCALAR SUBQUERY 1\n")
    for step in (first, rest or first):
        assert step.startswith("SEARCH")
        assert "\n" not in step  # no second step, such as a sort


def test_streams_are_listed_between_two_bounds_of_the_index(tool: sqlite3.Connection) -> None:
    plan = _plan(tool, STATEMENTS["_LIST_STREAMS"])
    assert plan.endswith("(type_id=? AND aggregate_id>? AND aggregate_id<?)")


async def test_a_start_reads_no_table_that_grows_from_end_to_end(
    tmp_path: Path, tool: sqlite3.Connection
) -> None:
    selects: list[str] = []

    class Traced(JobConnection):
        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)
            self.set_trace_callback(selects.append)

    store = SqliteStore(tmp_path, connection=Traced)
    await store.open()
    await store.close()
    plans = {each: _plan(tool, each) for each in selects if each.startswith("SELECT")}
    assert len(plans) > 5
    for statement, plan in plans.items():
        if any(f"FROM {table}" in statement for table in ("events", "commands", "streams")):
            assert "SEARCH" in plan or "LIMIT 1" in statement, statement
            assert "TEMP B-TREE" not in plan, statement
