"""What .ci/run installs, runs and stops at, on machines that are made of stubs."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "run"
NEEDED = ["bash", "dirname", "id"]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder for .ci/run, and a PATH with nothing on it but a shell and what the test adds."""
    (tmp_path / "tree" / ".ci").mkdir(parents=True)
    shutil.copy(SCRIPT, tmp_path / "tree" / ".ci")
    (tmp_path / "bin").mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found is not None
        (tmp_path / "bin" / name).symlink_to(found)
    add(tmp_path, "apt-get", 'echo "apt-get $*"')
    return tmp_path


def test_where_nothing_is_missing_nothing_is_installed(machine: Path) -> None:
    add(machine, "make", 'echo "make $*, CI=$CI, $(read -r line || echo no input)"')
    add(machine, "git", "")
    add(machine, "python3", "")
    run = ci(machine)
    assert run.returncode == 0
    said = [line for line in run.stdout.splitlines() if line]
    assert said == [
        "=== what the machine lacks",
        "nothing",
        "=== make check",
        "make check, CI=true, no input",
        "=== make test",
        "make test, CI=true, no input",
        "=== all is well",
    ]


def test_on_a_bare_machine_what_make_needs_is_installed_first(machine: Path) -> None:
    add(machine, "id", "echo 0")
    add(machine, "python3", "exit 1")  # there, but without ensurepip
    run = ci(machine)
    lines = run.stdout.splitlines()
    assert lines.index("apt-get update -qq") < lines.index("=== make check")
    [install] = [line for line in lines if line.startswith("apt-get install")]
    assert install.endswith(" make git python3 python3-venv")
    assert run.returncode == 127  # the stub installs nothing, so that there is still no make


def test_tests_are_not_run_after_a_failed_check(machine: Path) -> None:
    add(machine, "make", 'echo "make $*"; exit 2')
    add(machine, "git", "")
    add(machine, "python3", "")
    run = ci(machine)
    assert run.returncode == 2
    assert "make test" not in run.stdout


def ci(machine: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [machine / "tree" / ".ci" / "run"],
        env={"PATH": str(machine / "bin")},
        input="an answer to a question that nobody should ask\n",
        capture_output=True,
        text=True,
        check=False,
    )


def add(machine: Path, name: str, line: str) -> None:
    (machine / "bin" / name).unlink(missing_ok=True)
    (machine / "bin" / name).write_text(f"#!{shutil.which('sh')}\n{line}\n", encoding="utf-8")
    (machine / "bin" / name).chmod(0o755)
