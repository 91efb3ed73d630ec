"""The Go client against a real server: the contract as it reads from outside Python."""

import asyncio
import filecmp
import shutil
import subprocess
from pathlib import Path

import pytest
from examples.bank.local_server import local_server

CLIENT = Path(__file__).parents[2] / "examples" / "clients" / "go"
DEPOSITS = 1_000
NEWS = ["server", "opened", "deposited", "refused", "pipelined", "subscribed"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("go is not on the PATH")
    if _go("mod", "download").returncode:
        pytest.skip("the Go client's modules are not here and cannot be downloaded")
    program = tmp_path_factory.mktemp("go") / "bank"
    built = _go("build", "-o", str(program), ".")
    assert built.returncode == 0, built.stderr
    return program


async def test_a_go_client_finds_what_the_contract_promises(program: Path, tmp_path: Path) -> None:
    async with local_server(tmp_path) as address:
        code, said, problem = await _run(program, "-server", address, "-deposits", str(DEPOSITS))
    assert (code, problem) == (0, "")
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == NEWS
    assert "BankAccount/INSUFFICIENT_FUNDS" in lines[3]
    assert f"1 AccountOpened, {DEPOSITS + 1} MoneyDeposited" in lines[5]


async def test_a_go_client_pipelines_far_more_than_a_window(program: Path, tmp_path: Path) -> None:
    async with local_server(tmp_path) as address:
        code, said, problem = await _run(program, "-server", address, "-deposits", "10000")
    assert (code, problem) == (0, "")
    assert "1 AccountOpened, 10001 MoneyDeposited" in said


async def test_a_go_client_without_a_server_says_so(program: Path) -> None:
    code, said, problem = await _run(program, "-server", "127.0.0.1:1")
    assert (code, said) == (1, "")
    assert "asking 127.0.0.1:1 what it is" in problem


def test_the_committed_go_stubs_match_the_contract(tmp_path: Path) -> None:
    if shutil.which("protoc-gen-go") is None or shutil.which("protoc-gen-go-grpc") is None:
        pytest.skip("protoc-gen-go and protoc-gen-go-grpc are not on the PATH")
    if not (CLIENT / "../../../build/googleapis").exists():
        pytest.skip("build/googleapis is not there: `make check` makes it")
    generated = subprocess.run(
        [CLIENT / "generate.sh", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert generated.returncode == 0, generated.stderr
    stubs = CLIENT / "gesta" / "v1"
    names = sorted(stub.name for stub in (tmp_path / "gesta" / "v1").iterdir())
    assert names == sorted(stub.name for stub in stubs.iterdir())
    same, _, _ = filecmp.cmpfiles(tmp_path / "gesta" / "v1", stubs, names, shallow=False)
    assert names == same


def _go(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["go", *arguments], cwd=CLIENT, capture_output=True, text=True, check=False
    )


async def _run(program: Path, *arguments: str) -> tuple[int | None, str, str]:
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()
