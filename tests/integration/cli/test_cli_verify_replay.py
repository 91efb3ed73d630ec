"""`gesta verify-replay` as a process: what it prints, what it ends with, what it leaves."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
from pathlib import Path
from subprocess import DEVNULL, CompletedProcess

import pytest
from tests.integration.cli.command import GESTA, ROOT, TIMEOUT_S, environment, served

from gesta.store.snapshots_sqlite import FILE as SNAPSHOTS

STEPPING = """
from gesta.domain import Decision, aggregate, command, event

LENGTH = 1

@event("Stepped")
class Stepped:
    pass

@aggregate("Walk", snapshot_every=2)
class Walk:
    metres: int = 0

    def evolve(self, event: Stepped) -> "Walk":
        return Walk(self.metres + LENGTH)

    @command
    def step(self) -> Decision[Stepped, "Walk", None]:
        yield Stepped()
"""
EVOLVED = "tests.integration.cli.evolved"
BROKEN = """
from gesta.domain import aggregate, event

print("printed at import")

@event("Opened")
class AccountOpened:
    pass

@aggregate("BankAccount")
class BankAccount:
    def evolve(self, event: AccountOpened) -> "BankAccount":
        return self
"""


def verify_replay(*words: str) -> CompletedProcess[str]:
    return subprocess.run(
        [*GESTA, "verify-replay", *words],
        env=environment(),
        cwd=ROOT,
        stdin=DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of two accounts, its server stopped in order."""
    folder = tmp_path_factory.mktemp("verified")
    with served(folder, "examples.bank") as server:
        for name in ("a", "b"):
            words = ("execute", "BankAccount", name)
            assert server.gesta(*words, "open", "initial_deposit=100").returncode == 0
            assert server.gesta(*words, "deposit", "amount=5").returncode == 0
        assert server.stop() == 0
    return folder / "data"


def test_the_code_that_wrote_a_log_can_take_it_over(data: Path) -> None:
    told = verify_replay("examples.bank", "--data", str(data))
    assert (told.returncode, told.stderr) == (0, "")
    assert told.stdout.splitlines()[-1] == "2 aggregates, 4 events: all is well"
    assert "  MoneyDeposited v1  2 events" in told.stdout.splitlines()
    report = json.loads(verify_replay("examples.bank", "--data", str(data), "--json").stdout)
    assert (report["well"], report["head"]) == (True, 4)
    (of_type,) = report["aggregate_types"]
    assert (of_type["streams"], of_type["events"], of_type["streams_failing"]) == (2, 4, 0)
    assert [each["reading"] for each in of_type["event_types"]] == ["current"] * 2


def test_code_that_cannot_take_it_over_ends_with_nine_and_says_where(
    data: Path, tmp_path: Path
) -> None:
    code = tmp_path / "broken.py"
    code.write_text(BROKEN)
    told = verify_replay(str(code), "--data", str(data))
    assert told.returncode == 9
    lines = told.stdout.splitlines()
    assert lines[0] == "BankAccount  2 aggregates, 4 events, 2 aggregates failing"
    assert "  MoneyDeposited v1  2 events, unknown, 2 events failing" in lines
    assert any("first a v1 at position 1: UnknownEvent: " in line for line in lines)
    assert lines[-1] == "2 aggregates, 4 events: 2 aggregates would fail"
    assert told.stderr.splitlines() == [
        "printed at import",
        "gesta: REPLAY_FAILS: this code cannot take the log over",
    ]
    told = verify_replay(str(code), "--data", str(data), "--json")
    assert told.returncode == 9
    (of_type,) = json.loads(told.stdout)["aggregate_types"]
    first = of_type["first_failure"]
    assert (first["aggregate_id"], first["version"], first["position"]) == ("a", 1, 1)
    assert json.loads(told.stderr.splitlines()[-1])["exit_code"] == 9


def test_aggregate_types_that_the_code_does_not_host_are_counted_and_fail_nothing(
    data: Path,
) -> None:
    told = verify_replay(EVOLVED, "--data", str(data))
    assert told.returncode == 0
    assert told.stdout.splitlines()[0] == "BankAccount  2 aggregates, 4 events, not hosted"


def test_snapshots_are_compared_with_what_the_code_folds(tmp_path: Path) -> None:
    code, data = tmp_path / "stepping.py", tmp_path / "data"
    code.write_text(STEPPING)
    with served(tmp_path, str(code)) as server:
        for _ in range(4):
            assert server.gesta("execute", "Walk", "w", "step").returncode == 0
        assert server.stop() == 0
    told = verify_replay(str(code), "--data", str(data))
    assert (told.returncode, told.stderr) == (0, "")
    first = told.stdout.splitlines()[0]  # the last may have been let go as the server stopped
    assert re.fullmatch(r"Walk  1 aggregate, 4 events, (1 snapshot|2 snapshots)", first)
    files = sorted(each.name for each in data.iterdir())
    code.write_text(STEPPING.replace("LENGTH = 1", "LENGTH = 2"))  # no fingerprint sees it
    told = verify_replay(str(code), "--data", str(data))
    assert told.returncode == 9
    assert "first w v2 at position 2: SnapshotDiffers: " in told.stdout
    assert "snapshot_version=" in told.stdout
    assert sorted(each.name for each in data.iterdir()) == files
    (data / SNAPSHOTS).write_bytes(b"something else")
    told = verify_replay(str(code), "--data", str(data), "--json")
    assert told.returncode == 0
    report = json.loads(told.stdout)
    assert report["aggregate_types"][0]["snapshots"] == 0
    assert "not a database" in report["snapshots_not_read"]
    assert (data / SNAPSHOTS).read_bytes() == b"something else"


def test_a_log_that_a_server_has_is_left_to_it(tmp_path: Path) -> None:
    with served(tmp_path, "examples.bank") as server:
        told = verify_replay("examples.bank", "--data", str(tmp_path / "data"))
        assert (told.returncode, told.stdout) == (75, "")
        assert told.stderr.startswith("gesta: LOG_LOCKED: ")
        assert server.gesta("info").returncode == 0


def test_the_log_of_a_killed_server_is_read_to_its_end_and_not_changed(tmp_path: Path) -> None:
    with served(tmp_path, "examples.bank") as server:
        server.gesta("execute", "BankAccount", "a", "open", "initial_deposit=100")
        server.stop(signal.SIGKILL)
    files = [tmp_path / "data" / name for name in ("log.sqlite3", "log.sqlite3-wal")]
    before = [each.read_bytes() for each in files]
    told = verify_replay("examples.bank", "--data", str(tmp_path / "data"))
    assert (told.returncode, told.stderr) == (0, "")
    assert [each.read_bytes() for each in files] == before
    assert told.stdout.splitlines()[-1].startswith("1 aggregate, ")


@pytest.mark.parametrize(
    ("content", "code", "reason"),
    [(None, 65, "NOT_A_LOG"), (b"text", 65, "NOT_A_LOG")],
)
def test_what_is_no_log_is_told(
    tmp_path: Path, content: bytes | None, code: int, reason: str
) -> None:
    if content is not None:
        (tmp_path / "log.sqlite3").write_bytes(content)
    told = verify_replay("examples.bank", "--data", str(tmp_path))
    assert (told.returncode, told.stdout) == (code, "")
    assert told.stderr.startswith(f"gesta: {reason}: ")


def test_a_damaged_log_is_told_with_the_position(data: Path, tmp_path: Path) -> None:
    shutil.copytree(data, tmp_path / "data")
    file = tmp_path / "data" / "log.sqlite3"
    later, amount, first = file.read_bytes().rpartition(b'{"amount":5')  # pages fill from behind
    file.write_bytes(later + amount.replace(b"5", b"6") + first)
    told = verify_replay("examples.bank", "--data", str(tmp_path / "data"), "--json")
    assert (told.returncode, told.stdout) == (8, "")
    error = json.loads(told.stderr)["error"]
    assert (error["reason"], error["position"]) == ("DATA_LOSS", 2)


def test_a_target_that_cannot_be_loaded_is_told(data: Path) -> None:
    told = verify_replay("no.such.module", "--data", str(data))
    assert (told.returncode, told.stdout) == (78, "")


def test_progress_is_shown_on_a_terminal_alone(data: Path) -> None:
    words = [*GESTA, "verify-replay", "examples.bank", "--data", str(data)]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        words, env=environment(), cwd=ROOT, stdin=DEVNULL, stdout=DEVNULL, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 1 << 16):
                shown += piece
        except OSError:  # Linux's way of saying that the other side is closed
            pass
        os.close(ours)
        assert process.wait(TIMEOUT_S) == 0
    assert b"events" in shown
    assert b"4/4" in shown
