"""`gesta project` as it is used: with its output, its exit codes, and its one line of error."""

import asyncio
import json
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.integration.cli.command import GESTA, ROOT, TIMEOUT_S, Gesta, served
from tests.integration.projection.books import POISON, Books, book, rows_by_log, rows_of, transfers

from gesta.client import connect
from gesta.projection import ProjectionState, Runner, open_engine

BOOKS = "tests.integration.projection.books:Books"


@pytest.fixture(scope="module")
def gesta(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gesta]:
    with served(tmp_path_factory.mktemp("log"), None) as server:
        asyncio.run(_fill(server.gesta.address))
        yield server.gesta


@pytest.fixture
def gesta_with_poison(tmp_path: Path) -> Iterator[Gesta]:
    with served(tmp_path, None) as server:
        asyncio.run(_poison(server.gesta.address))
        yield server.gesta


async def _fill(address: str) -> None:
    async with connect(address) as client:
        await transfers(client, 100)


async def _poison(address: str) -> None:
    async with connect(address) as client:
        await book(client, 1, POISON, 3)


def status(gesta: Gesta, database: Path) -> dict[str, Any]:
    run = gesta("project", "status", BOOKS, "--db", str(database), "--json")
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    return found


async def assert_rows(gesta: Gesta, database: Path) -> None:
    engine = open_engine(str(database))
    async with connect(gesta.address) as client:
        assert await rows_of(engine) == await rows_by_log(client)
    await engine.dispose()


async def test_run_once_ends_when_it_has_caught_up_and_status_says_so(
    gesta: Gesta, tmp_path: Path
) -> None:
    database = tmp_path / "books.db"
    before = status(gesta, database)
    assert before.pop("lag_seconds") > 0
    assert before == {
        "name": "books",
        "position": 0,
        "head": 200,
        "lag_events": 200,
        "state": "new",
    }
    assert not database.exists()
    run = gesta("project", "run", BOOKS, "--db", f"sqlite+aiosqlite:///{database}", "--once")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    assert status(gesta, database) == {
        "name": "books",
        "position": 200,
        "head": 200,
        "lag_events": 0,
        "lag_seconds": 0.0,
        "state": "stopped",
    }
    await assert_rows(gesta, database)
    rebuilt = gesta("project", "rebuild", BOOKS, "--db", str(database))
    assert (rebuilt.returncode, rebuilt.stdout, rebuilt.stderr) == (0, "", "")
    await assert_rows(gesta, database)
    text = gesta("project", "status", BOOKS, "--db", str(database)).stdout.splitlines()
    assert text[0].split() == ["name", "books"]
    assert text[-1].split() == ["state", "stopped"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_a_run_goes_on_until_a_signal_and_says_that_it_has_stopped(
    gesta: Gesta, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    database = tmp_path / "books.db"
    with gesta.begun("project", "run", BOOKS, "--db", str(database)) as process:
        async with (
            asyncio.timeout(TIMEOUT_S),
            connect(gesta.address) as client,
            Runner(client, Books, str(database)) as runner,
        ):
            while (await runner.status()).state is not ProjectionState.LIVE:
                assert process.poll() is None
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == code
    assert status(gesta, database)["state"] == "stopped"
    await assert_rows(gesta, database)


def test_a_poison_event_is_told_with_what_to_do_and_can_be_skipped(
    gesta_with_poison: Gesta, tmp_path: Path
) -> None:
    gesta, database = gesta_with_poison, tmp_path / "books.db"
    run = gesta("project", "run", BOOKS, "--db", str(database), "--once")
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == (
        "gesta: POISON_EVENT: projection 'books': event 2 (Booked of Account/a, version 2) failed: "
        "ValueError: thirteen; mend the code and run it again, or leave the event out, on record: "
        "gesta project skip MODULE:CLASS --position 2\n"
    )
    found = status(gesta, database)
    assert found["state"] == "failed"
    assert found["failure"] == {
        "position": 2,
        "event": "Booked of Account/a, version 2",
        "error": "ValueError: thirteen",
    }
    wrong = gesta("project", "skip", BOOKS, "--db", str(database), "--position", "3")
    assert wrong.returncode == 4
    assert wrong.stderr.startswith("gesta: NOTHING_TO_SKIP: projection 'books': it failed at 2")
    skipped = gesta("project", "skip", BOOKS, "--db", str(database), "--position", "2")
    assert (skipped.returncode, skipped.stderr) == (0, "")
    assert gesta("project", "run", BOOKS, "--db", str(database), "--once").returncode == 0
    assert status(gesta, database)["lag_events"] == 0


def test_tables_that_cannot_be_gone_on_with_end_a_run_with_4(gesta: Gesta, tmp_path: Path) -> None:
    database = str(tmp_path / "books.db")
    assert gesta("project", "run", BOOKS, "--db", database, "--once").returncode == 0
    newer = "tests.integration.projection.test_rebuilding:Totals"
    run = gesta("project", "run", newer, "--db", database, "--once")
    assert run.returncode == 4
    assert "CODE_CHANGED" in run.stderr
    assert "rebuild it: gesta project rebuild MODULE:CLASS" in run.stderr


@pytest.mark.parametrize(
    ("target", "database", "code", "told"),
    [
        ("Books", "x.db", 2, "BAD_INPUT: 'Books' is not MODULE:CLASS"),
        ("my/books.py:Books", "x.db", 2, "not a module; write my.books:Books"),
        ("no.such.module:Books", "x.db", 2, "BAD_TARGET: no.such.module:Books: importing it"),
        ("json:JSONDecoder", "x.db", 2, "is not a projection with a name"),
        ("json:Nothing", "x.db", 2, "has no attribute 'Nothing'"),
        (BOOKS, "nosuch://x", 2, "BAD_DATABASE: nosuch://x: Can't load plugin"),
        (BOOKS, "/nowhere/at/all.db", 6, "DATABASE_FAILED: projection 'books'"),
    ],
)
def test_what_cannot_be_run_is_told_in_a_line(
    gesta: Gesta, tmp_path: Path, target: str, database: str, code: int, told: str
) -> None:
    run = gesta("project", "run", target, "--db", database, "--once")
    assert (run.returncode, run.stdout) == (code, "")
    assert told in run.stderr
    assert len(run.stderr.splitlines()) == 1


def test_a_server_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    run = Gesta("127.0.0.1:1")("project", "run", BOOKS, "--db", str(tmp_path / "x.db"), "--once")
    assert run.returncode == 6
    assert "no answer from 127.0.0.1:1" in run.stderr


def test_without_the_extra_the_line_to_install_it_is_told(gesta: Gesta, tmp_path: Path) -> None:
    (tmp_path / "sqlalchemy.py").write_text("raise ImportError('not here')")
    path = os.pathsep.join([str(tmp_path), gesta.environment["PYTHONPATH"]])
    run = subprocess.run(
        [*GESTA, "project", "run", BOOKS, "--db", "x.db"],
        env=gesta.environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        cwd=ROOT,
    )
    assert run.returncode == 2
    assert "EXTRA_MISSING" in run.stderr
    assert "pip install 'gesta[projections]'" in run.stderr


def test_help_names_the_commands(gesta: Gesta) -> None:
    for words in (["project"], ["project", "--help"]):
        run = gesta(*words)
        assert run.returncode == 0
        for command in ("run", "status", "rebuild", "skip"):
            assert f"\n  {command} " in run.stdout


def test_on_a_terminal_a_bar_shows_how_far_it_is(gesta: Gesta, tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    words = ["project", "run", BOOKS, "--db", str(tmp_path / "books.db"), "--once"]
    with subprocess.Popen(
        [sys.executable, "-m", "gesta.server", *words],
        env=gesta.environment | {"COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = b""
        while True:
            try:
                part = os.read(master, 65_536)
            except OSError:  # nobody holds the other end any more
                break
            shown += part
        assert process.wait(TIMEOUT_S) == 0
        assert process.stdout is not None
        assert process.stdout.read() == b""
    os.close(master)
    assert b"200/200" in shown
