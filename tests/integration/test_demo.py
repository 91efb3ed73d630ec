"""`make demo`, small: it proves what it says, and leaves nothing behind, however it ends."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from pathlib import Path

import pytest
from examples.bank.local_server import ROOT

from gesta.client import connect

pytestmark = pytest.mark.slow

LONG = "5000000"  # commands: more than any machine answers before it is stopped
INTRODUCTION_LINES = 6


async def test_the_demo_proves_that_subscriber_state_and_log_agree(tmp_path: Path) -> None:
    process = await _demo(tmp_path, "3000")
    out, err = await process.communicate()
    said = out.decode()
    assert (process.returncode, err) == (0, b"")
    assert "PROVED: in each of 1,000 accounts, the three agree to the heller." in said
    assert "\x1b" not in said
    assert "commands/s" in said
    assert not _left_in(tmp_path)


async def test_a_demo_of_one_command_works(tmp_path: Path) -> None:
    process = await _demo(tmp_path, "1")
    out, _ = await process.communicate()
    assert process.returncode == 0
    assert b"PROVED: in each of 1 accounts" in out


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_demo_that_is_stopped_takes_server_and_data_with_it(
    tmp_path: Path, stop: signal.Signals
) -> None:
    process = await _demo(tmp_path, LONG)
    assert process.stdout is not None
    introduction = [(await process.stdout.readline()).decode() for _ in range(INTRODUCTION_LINES)]
    address = next(line.split()[-1] for line in introduction if line.startswith("server "))
    async with connect(address) as client:
        assert (await client.info()).aggregate_types == ("BankAccount",)  # it is up, under load
    process.send_signal(stop)
    _, err = await process.communicate()
    assert (process.returncode, err.decode()) == (130, "stopped\n")
    assert not _left_in(tmp_path)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(*address.split(":"))


async def _demo(temporary: Path, commands: str) -> Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "examples.bank", "demo", "--commands", commands),
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONUNBUFFERED": "1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())
