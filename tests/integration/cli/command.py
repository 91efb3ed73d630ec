"""`gesta` as processes: a server, and commands that speak to it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, PIPE, CompletedProcess, Popen

ROOT = Path(__file__).parents[3]
TROUBLE = "tests/integration/cli/trouble.py"
TIMEOUT_S = 60.0
"""For anything that ends by itself; it takes under a second on a machine that is not busy."""
GESTA = (sys.executable, "-m", "gesta.server")


def environment(**more: str) -> dict[str, str]:
    """What a command sees, without what the caller's own terminal asks for."""
    kept = {name: value for name, value in os.environ.items() if name not in _OF_TERMINALS}
    return kept | {"PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]), "TERM": "xterm"} | more


_OF_TERMINALS = ("COLUMNS", "FORCE_COLOR", "NO_COLOR", "TTY_COMPATIBLE", "GESTA_SERVER")


class Gesta:
    """Commands that speak to one server, named by GESTA_SERVER."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.environment = environment(GESTA_SERVER=address)

    def __call__(self, *words: str) -> CompletedProcess[str]:
        """The command, ended."""
        return subprocess.run(
            [*GESTA, *words],
            env=self.environment,
            stdin=DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )

    @contextmanager
    def begun(self, *words: str) -> Iterator[Popen[str]]:
        """The command, running; killed at the end if it still does."""
        with Popen(
            [*GESTA, *words], env=self.environment, stdout=PIPE, stderr=PIPE, text=True
        ) as it:
            try:
                yield it
            finally:
                it.kill()


class Served:
    """A server that has said where it listens."""

    def __init__(self, process: Popen[str], report: Path) -> None:
        assert process.stdout is not None
        self.process = process
        self._report = report
        line = process.stdout.readline()
        assert line.startswith("listening "), self.said()
        self.gesta = Gesta(line.removeprefix("listening ").rstrip("\n"))

    def said(self) -> str:
        """Its log so far."""
        return self._report.read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT_S)


@contextmanager
def served(folder: Path, target: str | None, listen: str = "127.0.0.1:0") -> Iterator[Served]:
    """A server on `folder`/data; killed at the end if it still runs."""
    report = folder / "server.log"
    words = [] if target is None else [target]
    with (
        report.open("ab") as stderr,
        Popen(
            [*GESTA, "serve", *words, "--data", str(folder / "data"), "--listen", listen],
            env=environment(),
            cwd=ROOT,
            stdin=DEVNULL,
            stdout=PIPE,
            stderr=stderr,
            text=True,
        ) as process,
    ):
        try:
            yield Served(process, report)
        finally:
            process.kill()


def serve(*words: str, cwd: Path = ROOT) -> CompletedProcess[str]:
    """`gesta serve`, where it is expected to end by itself."""
    return subprocess.run(
        [*GESTA, "serve", *words],
        env=environment(),
        cwd=cwd,
        stdin=DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
