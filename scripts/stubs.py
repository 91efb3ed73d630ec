"""Makes the Python stubs of proto/ and puts them in place, or says which committed ones differ.

python -m scripts.stubs            write them beside their .proto files
python -m scripts.stubs --check    exit 1 where a committed stub is not what would be written
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROTOS = Path(__file__).parents[1] / "proto"
PLUGINS = Path(sys.executable).parent  # where protoc finds protoc-gen-mypy_grpc


def main() -> None:
    """The command above."""
    made, there = generate(PROTOS), stubs_in(PROTOS)
    differ = [name for name in sorted(made | there) if made.get(name) != there.get(name)]
    if sys.argv[1:] == ["--check"]:
        sys.exit(f"not as the contract has it: {differ}; see `make proto`" if differ else 0)
    for name in differ:
        if name in made:
            (PROTOS / name).write_bytes(made[name])
        else:
            (PROTOS / name).unlink()
        print(name)


def generate(protos: Path) -> dict[str, bytes]:
    """The stubs of every .proto file under `protos`, by path relative to it; writes nothing there.

    Raises CalledProcessError; protoc has said why on stderr.
    """
    files = sorted(str(path.relative_to(protos)) for path in protos.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as into:
        kinds = {"python": "", "pyi": "", "grpc_python": "", "mypy_grpc": "quiet:"}
        outs = [f"--{kind}_out={options}{into}" for kind, options in kinds.items()]
        subprocess.run(
            [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"-I{_googleapis()}", *outs, *files],
            cwd=protos,
            env=os.environ | {"PATH": f"{PLUGINS}{os.pathsep}{os.environ['PATH']}"},
            check=True,
        )
        made = stubs_in(Path(into))
    return {name: text for name, text in made.items() if _wanted(protos, name)}


def stubs_in(folder: Path) -> dict[str, bytes]:
    """The stubs under a folder, by path relative to it."""
    found = [*folder.rglob("*_pb2*.py"), *folder.rglob("*_pb2*.pyi")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def _googleapis() -> Path:
    """Where google/rpc/status.proto is: googleapis-common-protos ships it beside its stubs."""
    spec = importlib.util.find_spec("google.rpc")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(next(iter(spec.submodule_search_locations))).parents[1]


def _wanted(protos: Path, stub: str) -> bool:
    """Not the service stubs of a .proto without a service: protoc writes them all the same."""
    source, service_stub, _ = stub.partition("_pb2_grpc")
    return not service_stub or "\nservice " in (protos / f"{source}.proto").read_text("utf-8")


if __name__ == "__main__":
    main()
