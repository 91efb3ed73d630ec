"""G1: what was acknowledged survives kill -9, at whatever moment it comes."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tests.contract.samples import PAGE
from tests.unit.store.appender import pair

from gesta.store import EventRecord, SqliteStore, Stream

ROUNDS = 20
APPENDS_MAX = 40
"""Acknowledgements in one round, before the kill."""


@pytest.mark.slow
async def test_no_acknowledged_event_is_missing_after_a_kill(tmp_path: Path) -> None:
    random = Random(1)
    for round_number in range(1, ROUNDS + 1):
        acknowledged = _append_until_killed(tmp_path, random.randint(1, APPENDS_MAX))
        store = SqliteStore(tmp_path)
        info = await store.open()
        assert info.epoch == 2 * round_number
        # One more pair may have been under way, and stands whole or not at all.
        assert info.head - acknowledged in (0, 2)
        assert await store.read_log(0, info.head, info.head, PAGE) == _events(info.head)
        assert len(await store.command_ids_between(b"", b"\xff" * 16, 10_000)) == info.head
        await store.close()


def _append_until_killed(directory: Path, appends: int) -> int:
    """Have another process append, and kill it; the last head that it acknowledged."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.unit.store.appender", str(directory)],
        bufsize=0,  # what readline() has read ahead, communicate() would pass over
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(appends)]
        process.kill()  # the next append is under way
        rest, errors = process.communicate()
    lines += rest.splitlines(keepends=True)
    assert lines[0], errors.decode()
    # A line cut short was not acknowledged in full.
    return int([each for each in lines if each.endswith(b"\n")][-1])


def _events(head: int) -> list[EventRecord]:
    streams = [Stream("BankAccount", "a"), Stream("BankAccount", "b")]
    return [event for number in range(head // 2) for event in pair(number, streams).events]
