"""`make` on a machine that has only Python and make, or a Python that will not do."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.repository.pythons import find_python

ROOT = Path(__file__).parents[2]
BOOTSTRAP = ROOT / "scripts" / "bootstrap.py"
TARGETS = [
    "setup",
    "demo",
    "serve",
    "test",
    "check",
    "bench",
    "bench-quick",
    "bench-soak",
    "proto",
    "clean",
]
PRETEND = "import runpy, sys; {change}; runpy.run_path({path!r}, run_name='__main__')"


def test_make_alone_prints_its_targets() -> None:
    run = make(ROOT)
    assert run.returncode == 0
    lines = re.findall(r"^make ([\w-]+) +\S.*$", run.stdout, re.MULTILINE)
    assert lines == TARGETS
    assert len(run.stdout.splitlines()) == len(TARGETS)


def test_a_python_that_is_too_old_is_named() -> None:
    run = pretend("sys.version_info = (3, 10, 13)")
    assert run.returncode == 1
    assert f"gesta needs Python 3.11 or newer; `{sys.executable}` is 3.10." in run.stderr
    assert "make PYTHON=" in run.stderr


@pytest.mark.parametrize("version", ["2.7", "3.6", "3.8", "3.10"])
def test_an_old_python_can_read_why_it_is_refused(version: str, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    run = subprocess.run(
        [python, BOOTSTRAP, tmp_path / "venv"], capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert f"is {version}.\n" in run.stderr
    assert "Traceback" not in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("module", ["ensurepip", "venv"])
def test_a_python_without_venv_says_what_to_install(module: str) -> None:
    run = pretend(f"sys.modules[{module!r}] = None")
    assert run.returncode == 1
    assert "apt-get install python3-venv" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_machine_without_python_is_told_so(tree: Path, tmp_path: Path) -> None:
    run = make(tree, "setup", path=tmp_path)
    assert run.returncode == 2
    assert "gesta needs Python 3.11 or newer; there is no python3 here." in run.stderr


def test_a_name_that_does_not_run_is_passed_over(tree: Path, tmp_path: Path) -> None:
    add_command(tmp_path, "python3.11", "exit 127")  # as a shim for a version not selected
    add_command(tmp_path, "python3.12", f'exec {sys.executable} "$@"')
    run = make(tree, "--dry-run", "setup", path=tmp_path)
    assert "\npython3.12 scripts/bootstrap.py .venv\n" in run.stdout


def test_a_half_made_environment_is_made_again(tmp_path: Path) -> None:
    (tmp_path / "venv" / "bin").mkdir(parents=True)
    (tmp_path / "venv" / "bin" / "python").touch()
    subprocess.run([sys.executable, BOOTSTRAP, tmp_path / "venv"], check=True, capture_output=True)
    subprocess.run([tmp_path / "venv/bin/pip", "--version"], check=True, capture_output=True)


@pytest.fixture
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make setup` reads, without an environment."""
    tree = tmp_path_factory.mktemp("tree")
    (tree / "scripts").mkdir()
    shutil.copy(ROOT / "Makefile", tree)
    shutil.copy(ROOT / "pyproject.toml", tree)
    shutil.copy(BOOTSTRAP, tree / "scripts")
    return tree


def make(
    folder: Path, *arguments: str, path: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run make, with nothing but `path` on the PATH where it is given."""
    command = shutil.which("make")
    assert command is not None
    return subprocess.run(
        [command, *arguments],
        cwd=folder,
        # No other variable: `make test` would make this one a sub-make, which talks more.
        env={"PATH": os.environ["PATH"] if path is None else str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def pretend(change: str) -> "subprocess.CompletedProcess[str]":
    """Run the bootstrap in a Python that was changed first."""
    code = PRETEND.format(change=change, path=str(BOOTSTRAP))
    return subprocess.run(
        [sys.executable, "-c", code, "never-made"], capture_output=True, text=True, check=False
    )


def add_command(folder: Path, name: str, line: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    (folder / name).chmod(0o755)
