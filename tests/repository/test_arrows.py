"""The contracts of import-linter hold, and each of them can fail.

`make check` runs the same contracts; here they also run over a copy of the rooms in which every
contract is broken on purpose.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("proto", "server", "client")
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "importlinter"
]["contracts"]

BREACHES = {
    "server/gesta/domain/planted.py": ["asyncio", "grpc", "sqlite3", "aiosqlite", "gesta.store"],
    "server/gesta/testing/planted.py": ["gesta.v1.event_pb2", "gesta.engine"],
    "server/gesta/store/planted.py": ["grpc", "google.protobuf", "gesta.domain", "gesta.engine"],
    "server/gesta/engine/planted.py": ["grpc", "sqlite3", "aiosqlite", "gesta.store.sqlite"],
    "server/gesta/server/planted.py": ["gesta.client.client"],
    "client/gesta/projection/planted.py": ["sqlite3", "asyncpg", "gesta.engine.limits"],
    "client/gesta/client/planted.py": ["gesta.store.port", "gesta.engine.limits", "gesta.server"],
}


def test_the_arrows_between_the_rooms_point_one_way(tmp_path: Path) -> None:
    code, said = lint(copy_of_the_rooms(tmp_path))
    assert code == 0, said
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said


def test_every_arrow_that_points_back_is_found(tmp_path: Path) -> None:
    rooms = copy_of_the_rooms(tmp_path)
    for file, imports in BREACHES.items():
        (rooms / file).write_text("".join(f"import {name}\n" for name in imports), encoding="utf-8")
    code, said = lint(rooms)
    assert code == 1
    assert f"Contracts: 0 kept, {len(CONTRACTS)} broken." in said.replace(" (1 ignored import)", "")
    overlooked = [
        f"{file}: {name}"
        for file, imports in BREACHES.items()
        for line, name in enumerate(imports, start=1)
        if not reported(said, file, name, line)
    ]
    assert overlooked == []


def test_a_room_without_a_place_is_found(tmp_path: Path) -> None:
    rooms = copy_of_the_rooms(tmp_path)
    (rooms / "server/gesta/annex").mkdir()
    (rooms / "server/gesta/annex/__init__.py").touch()
    code, said = lint(rooms)
    assert code == 1
    assert "annex" in said


def test_the_command_line_may_be_a_client(tmp_path: Path) -> None:
    rooms = copy_of_the_rooms(tmp_path)
    (rooms / "server/gesta/server/cli/planted.py").write_text("import gesta.client\n")
    code, said = lint(rooms)
    assert code == 0, said


def copy_of_the_rooms(tmp_path: Path) -> Path:
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, tmp_path / room, ignore=shutil.ignore_patterns("__pycache__", "*.proto")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def lint(rooms: Path) -> tuple[int, str]:
    """Lint the copy. -S leaves out .pth files, so that an editable install of the originals is not
    found in its place."""
    places = [*(str(rooms / room) for room in ROOMS), sysconfig.get_path("purelib")]
    command = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    run = subprocess.run(
        [sys.executable, "-S", "-c", command, "--no-cache"],
        cwd=rooms,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(places), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


def reported(said: str, file: str, name: str, line: int) -> bool:
    importer = "gesta." + file.split("/gesta/")[1].removesuffix(".py").replace("/", ".")
    imported = name if name.startswith("gesta.") else name.split(".")[0]
    return f"{importer} -> {imported} (l.{line})" in said
