"""serve: what it refuses, what it announces, and how it ends."""

import json
import re
import resource
import signal
import socket
from contextlib import suppress
from pathlib import Path
from subprocess import Popen, TimeoutExpired

import pytest
from tests.integration.cli.command import TIMEOUT_S, TROUBLE, serve, served

MEMORY = ("--data", ":memory:", "--listen", "127.0.0.1:0")


def refusal(*words: str, cwd: Path) -> tuple[int, str]:
    """The exit code and the one line that says why; nothing was announced."""
    ended = serve(*words, cwd=cwd)
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    return ended.returncode, line


def test_an_address_that_others_can_reach_needs_insecure(tmp_path: Path) -> None:
    code, line = refusal("--data", ":memory:", "--listen", "0.0.0.0:0", cwd=tmp_path)
    assert code == 2
    assert line.endswith("If that is meant: --insecure")


def test_a_port_that_is_taken_is_refused(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        code, line = refusal("--data", ":memory:", "--listen", listen, cwd=tmp_path)
    said = f"gesta: CANNOT_LISTEN: {listen}: Address already in use (--listen names another)"
    assert (69, said) == (code, line)


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    code, line = refusal("--data", "file/log", cwd=tmp_path)
    assert (code, line.endswith("file is not a directory")) == (2, True)


UNREAD = """
from gesta.domain import Decision, aggregate, command, event, upcast

@event("Happened", version=3)
class Happened:
    pass

@upcast("Happened", from_version=2)
def read(old):
    return [old]

@aggregate("A")
class A:
    def evolve(self, event: Happened) -> "A":
        return self

    @command
    def go(self) -> Decision[Happened, "A", None]:
        yield Happened()
"""


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("x = 1\ndef f(:\n", "author.py:2: ", "SyntaxError"),
        ("import json\nimport gesta_no_such\n", "author.py:2: ", "No module named 'gesta_no_such'"),
        ("def f():\n    raise ValueError('mine')\n\nf()\n", "author.py:2: ", "ValueError: mine"),
        ("import sys\nsys.exit(0)\n", "author.py:2: ", "ends the process"),
        (
            "from gesta.domain import aggregate\n\n@aggregate('A')\nclass A:\n    n: list = []\n",
            "author.py:3: ",
            "A",
        ),
        (UNREAD, "A: nothing reads Happened version 1", "write @upcast"),
        ("x = 1\n", "", "defines or imports no @aggregate"),
    ],
    ids=["syntax", "import", "raises", "exits", "definition", "upcasters", "empty"],
)
def test_what_is_wrong_with_a_target_is_said_with_its_place(
    tmp_path: Path, text: str, place: str, said: str
) -> None:
    (tmp_path / "author.py").write_text(text)
    code, line = refusal("author", *MEMORY, cwd=tmp_path)
    assert code == 78
    assert line.startswith(f"gesta: BAD_TARGET: {place}")
    assert said in line


def test_debug_adds_the_traceback_of_the_authors_code_only(tmp_path: Path) -> None:
    (tmp_path / "author.py").write_text("def f():\n    raise ValueError('mine')\n\nf()\n")
    ended = serve("author", *MEMORY, "--debug", cwd=tmp_path)
    assert ended.returncode == 78
    files = re.findall(r'File "(.*)", line (\d+)', ended.stderr)
    assert [(str(tmp_path / "author.py"), "4"), (str(tmp_path / "author.py"), "2")] == files


def test_the_address_is_the_first_line_whatever_the_author_prints(tmp_path: Path) -> None:
    with served(tmp_path, TROUBLE) as server:  # which would not be there otherwise
        assert "what an author's module prints" in server.said()
        assert server.process.stdout is not None
        assert server.stop(signal.SIGINT) == 0
        assert server.process.stdout.read() == ""


def test_a_second_signal_ends_a_server_whose_loop_hangs_in_the_authors_code(
    tmp_path: Path,
) -> None:
    with (
        served(tmp_path, TROUBLE) as server,
        server.gesta.begun("execute", "Trouble", "a", "hang", "--timeout", "60"),
    ):
        while "trouble.py" not in server.said():  # the watchdog's report of where it hangs
            assert server.process.poll() is None
            server.gesta("info", "--timeout", "0.1")
        server.process.send_signal(signal.SIGTERM)
        _signal_until_ended(server.process)
        assert server.process.returncode == -signal.SIGTERM


def _signal_until_ended(process: Popen[str]) -> None:
    """What comes right after the first signal still counts as that one; a later one does not."""
    while process.poll() is None:
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutExpired):
            process.wait(0.1)


def test_a_storage_that_fails_ends_the_server_with_74_and_the_command_with_7(
    tmp_path: Path,
) -> None:
    with served(tmp_path, TROUBLE) as server:
        noted = server.gesta("execute", "Trouble", "a", "note", "text=kept")
        assert noted.returncode == 0
        # No file may grow any more; to SQLite that is a disk with a fault.
        most = max(file.stat().st_size for file in (tmp_path / "data").iterdir())
        resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (most + 1024, most + 1024))
        failed = server.gesta(
            *("execute", "Trouble", "a", "fill", "--json"), '{"events": 4, "bytes_each": 200000}'
        )
        assert (failed.returncode, failed.stdout) == (7, "")
        assert json.loads(failed.stderr)["error"]["outcome"] == "UNKNOWN"
        assert server.process.wait(TIMEOUT_S) == 74
        assert "gesta: STORAGE_FAILED: " in server.said()
    with served(tmp_path, TROUBLE) as server:
        state = json.loads(server.gesta("state", "Trouble", "a", "--json").stdout)
        assert (state["state"]["text"], state["version"]) == ("kept", 1)


def test_without_a_target_it_is_a_pure_event_store(tmp_path: Path) -> None:
    with served(tmp_path, None) as server:
        hosted = server.gesta("types", "--json")
        assert json.loads(hosted.stdout) == {"aggregate_types": []}
        refused = server.gesta("execute", "BankAccount", "a", "open")
        assert refused.returncode == 2
        assert "UNKNOWN_AGGREGATE_TYPE" in refused.stderr
