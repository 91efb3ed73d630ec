"""`gesta snapshot`, beside a server and without one."""

import json
from pathlib import Path

from tests.integration.cli.command import Gesta, served

from gesta.store.snapshots_sqlite import FILE


def test_snapshots_are_counted_and_dropped_and_no_state_changes(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    with served(tmp_path, "tests.integration.cli.snapped") as server:
        gesta = server.gesta
        for _ in range(3):
            gesta("execute", "Snapped", "a", "add", "amount=5")
        before = gesta("state", "Snapped", "a").stdout
        server.process.terminate()
        server.process.wait(60)
    status = json.loads(gesta("snapshot", "status", "--data", data, "--json").stdout)
    assert status["aggregate_types"]["Snapped"]["aggregates"] == 1
    assert gesta("snapshot", "clear", "--data", data, "Other", "--json").stdout == '{"dropped":0}\n'
    dropped = json.loads(gesta("snapshot", "clear", "--data", data, "--json").stdout)["dropped"]
    assert dropped == status["aggregate_types"]["Snapped"]["snapshots"] > 0
    with served(tmp_path, "tests.integration.cli.snapped") as server:
        state = server.gesta("state", "Snapped", "a").stdout
        assert state.split("position")[0] == before.split("position")[0]
        beside = server.gesta("snapshot", "status", "--data", data)
        assert (beside.returncode, beside.stderr) == (0, "")


def test_where_there_are_none_that_is_bad_input(bank: Gesta, tmp_path: Path) -> None:
    failed = bank("snapshot", "status", "--data", str(tmp_path))
    assert (failed.returncode, failed.stdout) == (2, "")
    assert "no snapshots" in failed.stderr
    (tmp_path / FILE).write_bytes(b"something else")
    failed = bank("snapshot", "clear", "--data", str(tmp_path))
    assert (failed.returncode, failed.stdout) == (2, "")
    assert (tmp_path / FILE).read_bytes() == b"something else"
