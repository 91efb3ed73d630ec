"""The Pythons of this machine: those on the PATH, and pyenv's."""

import functools
import shutil
import subprocess
from pathlib import Path


@functools.cache
def find_python(version: str) -> Path | None:
    """A Python of a version such as "3.12" that runs; None where there is none."""
    on_path = shutil.which(f"python{version}")
    candidates = [Path(on_path)] if on_path else []
    candidates += [prefix / "bin" / f"python{version}" for prefix in _pyenv_prefixes(version)]
    return next((path for path in candidates if _runs(path, version)), None)


def _pyenv_prefixes(version: str) -> list[Path]:
    if shutil.which("pyenv") is None:
        return []
    names = [name for name in _said("pyenv", "versions", "--bare").split() if "/" not in name]
    matching = [name for name in names if name.startswith(f"{version}.")]
    return [Path(_said("pyenv", "prefix", name).strip()) for name in matching]


def _runs(path: Path, version: str) -> bool:
    """A name on the PATH may be a shim for a version that is not selected."""
    return _said(str(path), "-c", "import sys; print('%d.%d' % sys.version_info[:2])") == (
        f"{version}\n"
    )


def _said(*command: str) -> str:
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    except OSError:
        return ""
    return run.stdout if run.returncode == 0 else ""
