"""The committed stubs are what the contract makes, and the floors in pyproject.toml are theirs.

Stubs refuse to be imported under a runtime older than their generator. The floors say so to pip;
were they lower, gesta would install and then fail at its first import.
"""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from scripts import stubs

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_committed_stubs_are_what_the_contract_makes() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "scripts.stubs", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_a_contract_that_has_changed_makes_other_stubs(tmp_path: Path) -> None:
    shutil.copytree(stubs.PROTOS, tmp_path / "proto")
    changed = tmp_path / "proto/gesta/v1/event.proto"
    text = changed.read_text("utf-8")
    assert "int64 position" in text
    changed.write_text(text.replace("int64 position", "int64 place", 1), encoding="utf-8")
    made, there = stubs.generate(tmp_path / "proto"), stubs.stubs_in(stubs.PROTOS)
    differ = {name for name in made | there if made.get(name) != there.get(name)}
    assert differ == {"gesta/v1/event_pb2.py", "gesta/v1/event_pb2.pyi"}


def test_every_proto_has_its_stubs() -> None:
    names = {name for name in stubs.stubs_in(stubs.PROTOS) if name.endswith("_pb2.py")}
    protos = {str(path.relative_to(stubs.PROTOS)) for path in stubs.PROTOS.rglob("*.proto")}
    assert {proto.replace(".proto", "_pb2.py") for proto in protos} == names
    assert len(names) >= 6


def test_the_protobuf_floor_is_the_one_of_the_stubs() -> None:
    assert {floor_of("protobuf")} == generated(
        r"\n# Protobuf Python Version: ([\d.]+)\n", "_pb2.py"
    )


def test_the_grpcio_floors_are_the_one_of_the_stubs() -> None:
    version = generated(r"\nGRPC_GENERATED_VERSION = '([\d.]+)'\n", "_pb2_grpc.py")
    assert {floor_of("grpcio")} == version
    assert {floor_of("grpcio-health-checking")} == version
    assert {floor_of("grpcio-reflection")} == version
    assert f"grpcio-tools=={floor_of('grpcio')}" in PROJECT["optional-dependencies"]["dev"]


def floor_of(distribution: str) -> str:
    floors = [
        floor
        for name, _, floor in (line.partition(">=") for line in PROJECT["dependencies"])
        if name == distribution
    ]
    assert len(floors) == 1
    return str(floors[0])


def generated(pattern: str, ending: str) -> set[str]:
    """What the headers of the stubs say; every stub has to say it."""
    texts = {
        name: text.decode()
        for name, text in stubs.stubs_in(stubs.PROTOS).items()
        if name.endswith(ending)
    }
    found = {name: re.search(pattern, text) for name, text in texts.items()}
    assert [name for name, match in found.items() if match is None] == []
    return {match[1] for match in found.values() if match is not None}
