"""A tiny share of the benchmarks, for real: servers, load clients, the checker, the table."""

from pathlib import Path

import pytest
from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.processes import measured, running
from benchmarks.references.echo import FLUSHED, UNARY
from benchmarks.rows import rows

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, tmp_path / "kept", seconds=0.2, say=lambda name: None)


async def test_commands_and_echoes_make_rows_whose_histories_are_clean(
    bench: Bench, tmp_path: Path
) -> None:
    async with running("benchmarks.references.echo", str(tmp_path)) as echo:
        for name, method in ((plan.UNARY_ECHO, UNARY), (plan.FLUSHED_ECHO, FLUSHED)):
            await bench.load(
                name,
                "references.echo",
                address=echo.address,
                pid=echo.pid,
                callers=64,
                seconds=0.2,
                method=method,
            )
    async with bench.gesta() as server:
        found = await bench.load(
            plan.UNARY,
            "workloads.commands",
            address=server.address,
            pid=server.pid,
            accounts=20,
            callers=8,
            seconds=0.2,
            batching=False,
        )
    assert found["commands"] > 0
    found_rows = [each for each in rows(bench.figures, plan.LINES) if each.workload == plan.UNARY]
    assert [each.reference for each in found_rows] == [plan.UNARY_ECHO, plan.FLUSHED_ECHO]
    assert all(each.verdict == "clean" and each.ratio is not None for each in found_rows)


async def test_subscribers_under_load_are_each_given_the_log(bench: Bench) -> None:
    async with bench.gesta() as server:
        found = await measured(
            "workloads.fan_out",
            address=server.address,
            subscribers=3,
            per_second=200,
            seconds=1.0,
        )
    assert found["violations"] == []
    assert found["per_second"] > 0


async def test_a_server_that_kept_another_promise_is_found_out(bench: Bench) -> None:
    """The log has twenty events an account; whoever expects nineteen is told of each command."""
    bench.cache.mkdir()
    log = await bench.built(2_000, 100)
    async with bench.gesta(data=log) as server:
        found = await measured(
            "workloads.cold", address=server.address, accounts=100, callers=10, base=[2_000, 19, 95]
        )
    assert found["violations"][0].startswith("VERSION_GAP")
    assert found["violations"][-1] == "100 in all"
