"""gesta as others get it: built, installed in an environment of its own, and tried from outside."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TRIAL = ROOT / "tests" / "repository" / "trial"
INSTALL_TIMEOUT_S = 300  # downloads included


def build(into: Path) -> tuple[Path, Path]:
    """The sdist and, made from it, the wheel."""
    run(sys.executable, "-m", "build", "--outdir", into, ROOT, timeout_s=INSTALL_TIMEOUT_S)
    [sdist], [wheel] = into.glob("*.tar.gz"), into.glob("*.whl")
    return sdist, wheel


def install(environment: Path, *what: str | Path, python: str | Path = sys.executable) -> Path:
    """Make an environment and install into it; returns its Python."""
    installed = environment / "bin" / "python"
    if python == sys.executable:  # our pip does for it, too, and making one takes four seconds
        run(python, "-m", "venv", "--without-pip", environment)
        pip: list[str | Path] = [python, "-m", "pip", "--python", installed]
    else:
        run(python, "-m", "venv", environment)
        pip = [installed, "-m", "pip"]
    quiet = ("--quiet", "--disable-pip-version-check")
    run(*pip, *quiet, "install", *what, timeout_s=INSTALL_TIMEOUT_S)
    return installed


def run(*command: str | Path, cwd: Path | None = None, timeout_s: float = 120) -> str:
    """Its stdout. A command that fails, fails the test with all it said."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
        timeout=timeout_s,
    )
    assert done.returncode == 0, (
        f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    )
    return done.stdout
