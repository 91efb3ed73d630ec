"""A tiny share of the benchmarks, for real: servers, load clients, the checker, the table."""

from pathlib import Path

import pytest
from benchmarks import plan
from benchmarks.bench import Bench
from benchmarks.processes import measured, running
from benchmarks.rows import rows

pytestmark = pytest.mark.slow


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, tmp_path / "kept", seconds=0.2, say=lambda name: None)


async def test_commands_and_echoes_make_rows_whose_histories_are_clean(bench: Bench) -> None:
    async with running("benchmarks.references.echo") as echo:
        await bench.load(
            plan.UNARY_ECHO,
            "references.echo",
            address=echo.address,
            callers=64,
            seconds=0.2,
            framed=False,
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
    [row] = [each for each in rows(bench.figures, plan.LINES) if each.workload == plan.UNARY]
    assert (row.verdict, row.reference) == ("clean", plan.UNARY_ECHO)
    assert row.ratio is not None


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
