"""The README's example, from its first line to its last: saved, tested, served, spoken to."""

import asyncio
import contextlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from tests.repository.pages import ROOT, blocks

README = ROOT / "README.md"
ADDRESS = "localhost:50051"
TIMEOUT_S = 60  # for what takes a second, on a machine that is busy

pytestmark = pytest.mark.slow


class Enough(Exception):
    """The example has printed what was waited for; by itself it would go on for ever."""


async def test_the_readme_s_example_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aggregate, scenario, client = blocks(README, "python")
    [serve, *commands] = session()
    (tmp_path / saved_as()).write_text(aggregate, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    exec(compile(scenario, "README.md", "exec", dont_inherit=True), {"__name__": "x"})
    async with served(serve[0], tmp_path) as address:
        for command, expected in commands:
            said = await gesta(command.replace(" --follow", ""), tmp_path, address)
            assert expected in said, command
        printed = await run_client(client.replace(ADDRESS, address), lines=3)
    assert re.match(r"98 2 \S+$", printed[0])
    assert printed[1:] == [
        "1 screws StockAdded {'pieces': 100}",
        "2 screws StockReserved {'pieces': 2}",
    ]


def saved_as() -> str:
    names = re.findall(r"Save it as `(\w+\.py)`", README.read_text("utf-8"))
    assert len(names) == 1
    return str(names[0])


def session() -> list[tuple[str, str]]:
    """The commands of the shell session, each with the output shown below it."""
    shown = next(block for block in blocks(README, "") if block.startswith("$ gesta serve"))
    found = [step.partition("\n") for step in ("\n" + shown).split("\n$ ")[1:]]
    return [(command, output.strip()) for command, _, output in found]


@contextlib.asynccontextmanager
async def served(command: str, folder: Path) -> AsyncGenerator[str, None]:
    server = await start(f"{command.partition('#')[0]} --listen 127.0.0.1:0", folder)
    assert server.stdout is not None
    try:
        line = await asyncio.wait_for(server.stdout.readline(), TIMEOUT_S)
        assert line.startswith(b"listening 127.0.0.1:")
        yield line.decode().split()[1]
    finally:
        server.terminate()
        await asyncio.wait_for(server.communicate(), TIMEOUT_S)


async def gesta(command: str, folder: Path, address: str) -> str:
    process = await start(command, folder, GESTA_SERVER=address)
    out, err = await asyncio.wait_for(process.communicate(), TIMEOUT_S)
    return (out + err).decode()


async def start(command: str, folder: Path, **environment: str) -> asyncio.subprocess.Process:
    [name, *arguments] = shlex.split(command, comments=True)
    assert name == "gesta"
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "gesta.server", *arguments),
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def run_client(example: str, lines: int) -> list[str]:
    """What the example's `main` prints, up to so many lines."""
    printed: list[str] = []

    def print_line(*values: object) -> None:
        printed.append(" ".join(map(str, values)))
        if len(printed) == lines:
            raise Enough

    namespace: dict[str, object] = {"print": print_line}
    exec(compile(example, "README.md", "exec", dont_inherit=True), namespace)
    main = namespace["main"]
    assert callable(main)
    with pytest.raises(Enough):
        await asyncio.wait_for(main(), TIMEOUT_S)
    return printed
