"""What a run was measured on, so that its figures can be judged by others."""

import os
import platform
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    *("gesta", "grpcio", "protobuf", "msgspec", "aiosqlite", "uvloop"),
    *("umadb", "eventsourcing", "asyncpg"),
)
MEASURED = ("proto", "server", "client")


def machine(data: Path) -> dict[str, str]:
    """Processor, memory, disk and versions; `data` is where logs were made."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": f"{_processor()}, {os.cpu_count()} of them",
        "memory": f"{memory / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "file system": file_system(data),
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "gesta's commit": _commit(),
        **{name: found for name in PACKAGES if (found := _version(name)) is not None},
    }


def file_system(folder: Path) -> str:
    """Its type, as the kernel names it; "unknown" where it does not say."""
    best, kind = "", "unknown"
    for line in Path("/proc/mounts").read_text("utf-8").splitlines():
        _, place, found, *_ = line.split()
        if folder.resolve().is_relative_to(place) and len(place) >= len(best):
            best, kind = place, found
    return kind


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """The last one that touched what is measured."""
    git = shutil.which("git")
    if git is None:
        return "unknown"
    found = _said(git, "log", "-1", "--format=%h", "--", *MEASURED)
    changed = _said(git, "status", "--porcelain", "--", *MEASURED)
    return (found or "unknown") + (" and changes since" if changed else "")


def _said(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
