"""The sdist, the wheel made from it and an editable install each give a gesta that works.

From inside the repository much works that is broken for others, so every install has an environment
of its own, and is tried from a folder elsewhere.
"""

import shutil
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.repository.environments import ROOT, TRIAL, build, install, run

pytestmark = pytest.mark.slow

ROOMS = [ROOT / room for room in ("proto", "server", "client")]
NEED_AN_EXTRA = ("gesta.projection", "gesta.testing.stateful", "gesta.testing.strategies")
PACKAGES = {"client", "domain", "engine", "projection", "server", "store", "testing", "v1"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module", params=["wheel", "editable"])
def installed(
    request: pytest.FixtureRequest,
    built: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    what = ["--editable", ROOT] if request.param == "editable" else [built[1]]
    return install(tmp_path_factory.mktemp(request.param) / "venv", *what)


def test_the_wheel_holds_the_three_rooms_and_nothing_else(built: tuple[Path, Path]) -> None:
    names = set(zipfile.ZipFile(built[1]).namelist())
    shipped = {name for name in names if name.startswith("gesta/")}
    described = built[1].name.split("-py3")[0] + ".dist-info"
    assert {name.split("/")[0] for name in names - shipped} == {described}
    assert shipped == files_of_the_rooms()
    assert {name.split("/")[1] for name in shipped} == PACKAGES
    assert {f"gesta/{package}/py.typed" for package in PACKAGES} - shipped == set()


def test_the_wheel_ships_the_stubs_and_the_contract(built: tuple[Path, Path]) -> None:
    names = zipfile.ZipFile(built[1]).namelist()
    services = len(list((ROOT / "proto").rglob("*_service.proto")))
    assert services >= 5
    for ending in ("_service.proto", "_service_pb2.py", "_service_pb2.pyi", "_service_pb2_grpc.py"):
        assert len([name for name in names if name.endswith(ending)]) == services


def test_the_sdist_holds_what_the_wheel_is_made_of(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"README.md", "LICENSE", "CHANGELOG.md", "pyproject.toml"} - names == set()
    tops = {name.split("/")[0] for name in names if "/" in name}
    assert tops == {"proto", "server", "client"}


def test_every_module_can_be_imported_with_nothing_but_the_dependencies(
    installed: Path, tmp_path: Path
) -> None:
    modules = {name for name in modules_of_the_rooms() if not name.startswith(NEED_AN_EXTRA)}
    said = run(installed, "-I", "-W", "error", TRIAL / "import_all.py", *modules, cwd=tmp_path)
    assert said == f"{len(modules)} imported\n"


def test_projections_without_their_extra_say_what_to_install(
    installed: Path, tmp_path: Path
) -> None:
    said = run(installed, "-I", "-W", "error", TRIAL / "without_extras.py", cwd=tmp_path)
    assert said == "projections need SQLAlchemy: pip install 'gesta[projections]'\n"


def test_a_command_goes_through_server_and_client(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(TRIAL, tmp_path / "trial")
    said = run(installed, "-W", "error", "round_trip.py", cwd=tmp_path / "trial")
    assert said == "5 2 2\n"


def test_the_gesta_command_is_there(installed: Path, tmp_path: Path) -> None:
    assert "serve" in run(installed.parent / "gesta", "--help", cwd=tmp_path)


def test_a_type_checker_outside_sees_the_types(installed: Path, tmp_path: Path) -> None:
    shutil.copytree(TRIAL, tmp_path / "trial")
    mypy = (sys.executable, "-m", "mypy", "--strict", "--python-executable", installed)
    said = run(*mypy, "round_trip.py", cwd=tmp_path / "trial", timeout_s=300)
    assert said.startswith("Success: no issues found")


def files_of_the_rooms() -> set[str]:
    found = {path for room in ROOMS for path in (room / "gesta").rglob("*") if path.is_file()}
    return {
        str(path.relative_to(next(room for room in ROOMS if path.is_relative_to(room))))
        for path in found
        if "__pycache__" not in path.parts
    }


def modules_of_the_rooms() -> set[str]:
    names = {name for name in files_of_the_rooms() if name.endswith(".py")}
    return {name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in names}
