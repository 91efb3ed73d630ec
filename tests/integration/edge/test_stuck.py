"""Code of an aggregate that takes for ever: the process ends, whatever that code is doing."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from grpc.aio import AioRpcError
from tests.integration.edge.caller import connected
from tests.integration.edge.process import TIMEOUT_S, running

SCRIPT = """
import re, sys
from gesta.engine.watchdog import Watchdog

watchdog = Watchdog(0.02, 0.1)
watchdog.start()
if sys.argv[1:] == ["armed"]:
    watchdog.arm()
with watchdog:
    re.match("(a+)+$", "a" * 25 + "b")
print("survived")
"""
"""Keeps the interpreter's lock for a second or so: many times longer than `kill_s`."""

PAUSED = """
from gesta.engine.watchdog import Watchdog

watchdog = Watchdog(0.02, 0.1)
watchdog.start()
watchdog.arm()
print("armed", flush=True)
input()
with watchdog:
    print("survived")
watchdog.stop()
"""


@pytest.mark.parametrize(("command", "code"), [("loop", 70), ("match", -signal.SIGVTALRM)])
async def test_a_turn_that_never_ends_ends_the_process_with_its_stack_in_the_log(
    tmp_path: Path, command: str, code: int
) -> None:
    target = "tests.integration.edge.stalling:Stalling"
    async with (
        running(tmp_path, target=target) as process,
        connected(process.address) as caller,
    ):
        await caller.execute("a", "work", aggregate_type="Stalling")
        with pytest.raises(AioRpcError):
            await caller.execute("a", command, aggregate_type="Stalling")
        assert await process.ended() == code
        assert f"in {command}" in process.said()


@pytest.mark.parametrize(
    ("words", "code", "said"), [(["armed"], -signal.SIGVTALRM, ""), ([], 0, "survived\n")]
)
def test_only_a_watchdog_that_is_armed_ends_code_that_keeps_the_interpreters_lock(
    words: list[str], code: int, said: str
) -> None:
    ended = _run(SCRIPT, *words)
    assert (ended.returncode, ended.stdout) == (code, said)


def test_a_process_that_was_paused_for_longer_is_not_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PAUSED], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as paused:
        assert paused.stdout is not None
        assert paused.stdout.readline() == "armed\n"
        paused.send_signal(signal.SIGSTOP)
        assert _run(SCRIPT).stdout == "survived\n"  # which takes longer than `kill_s`
        paused.send_signal(signal.SIGCONT)
        said, _ = paused.communicate("\n", timeout=TIMEOUT_S)
    assert (paused.returncode, said) == (0, "survived\n")


def _run(script: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", script, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
