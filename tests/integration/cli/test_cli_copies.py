"""`gesta backup`, `restore` and `verify` as processes, beside a server and without one."""

import asyncio
import json
import signal
import subprocess
from pathlib import Path

import pytest
from tests.history.history import History
from tests.history.recording import Recorder
from tests.integration.cli.command import GESTA, Gesta, served
from tests.integration.faults.load import TIMEOUT_S, loaded
from tests.integration.faults.server import SmallDisk, lasting_address, serving_at

from gesta.client import LogRestored, connect
from gesta.store.offline import read_only
from gesta.store.sqlite import FILE

ALONE = Gesta("127.0.0.1:1")
"""For commands that speak to no server."""
BACKUPS = 3
COMMANDS_BETWEEN = 200


def answer(*words: str) -> dict[str, object]:
    done = ALONE(*words, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, object] = json.loads(done.stdout)
    return found


def columns(log: Path, until: int) -> list[tuple[object, ...]]:
    with read_only(log) as connection:
        query = "SELECT * FROM events WHERE position <= ? ORDER BY position"
        return list(connection.execute(query, (until,)).fetchall())


async def test_copies_made_under_load_are_whole_and_hold_what_was_acknowledged_before(
    tmp_path: Path,
) -> None:
    address = lasting_address()
    made = []
    async with (
        serving_at(address, tmp_path) as server,
        connect(address, timeout_s=TIMEOUT_S) as client,
        loaded(Recorder(client, History())) as load,
    ):
        for number in range(BACKUPS):
            await load.until(load.acknowledged + COMMANDS_BETWEEN)
            before, copy = load.acknowledged, tmp_path / f"copy-{number}"
            words = ("backup", str(copy), "--data", str(tmp_path / "data"))
            told = await asyncio.to_thread(answer, *words)
            made.append((copy, before, told["position"], load.acknowledged))
        await load.end()
        assert load.errors == []
        server.signal(signal.SIGTERM)
        assert await server.ended() == 0
    whole = columns(tmp_path / "data" / FILE, 1 << 62)
    for copy, before, position, after in made:
        assert isinstance(position, int)
        assert before <= position <= len(whole)
        assert after > before  # the server went on meanwhile
        assert columns(copy, 1 << 62) == whole[:position]
        assert ALONE("verify", str(copy)).stdout == "all is well\n"


async def test_a_reader_who_has_seen_what_a_restore_undid_is_told_so(tmp_path: Path) -> None:
    data, copy, lost = str(tmp_path / "data"), str(tmp_path / "copy"), str(tmp_path / "lost")
    with served(tmp_path, "examples.bank") as server:
        async with connect(server.gesta.address) as client:
            await client.execute("BankAccount", "a", "open", {"initial_deposit": 1})
            kept = (await client.execute("BankAccount", "a", "deposit", {"amount": 2})).token
            assert answer("backup", copy, "--data", data)["position"] == 2
            undone = (await client.execute("BankAccount", "a", "deposit", {"amount": 3})).token
        assert server.stop() == 0
    refused = ALONE("restore", copy, "--data", data)
    assert refused.returncode == 2
    assert "nothing is overwritten" in refused.stderr
    (tmp_path / "data").rename(lost)
    told = answer("restore", copy, "--data", data, "--replacing", lost)
    assert (told["incarnation"], told["position"]) == (2, 2)
    with served(tmp_path, "examples.bank") as server:
        async with connect(server.gesta.address) as client:
            for amount in (4, 5):  # the log grows past what the reader has seen
                await client.execute("BankAccount", "a", "deposit", {"amount": amount})
            with pytest.raises(LogRestored) as error:
                async with client.subscribe(after=undone) as subscription:
                    await anext(subscription)
            assert error.value.fork_position == 2
            async with client.subscribe(after=kept) as subscription:
                event = await anext(subscription)
            assert event.position == 3
            assert json.loads(event.data)["amount"] == 4


def test_a_directory_that_was_copied_to_a_read_only_disk_is_verified_and_restored(
    tmp_path: Path,
) -> None:
    with served(tmp_path, "examples.bank") as server:
        words = ("execute", "BankAccount", "a", "open", "initial_deposit=1")
        assert server.gesta(*words).returncode == 0
        assert server.stop() == 0
    copied = 'cp -r "$0" "$1" && mount -o remount,ro none "$1" && shift && exec "$@"'
    disk = SmallDisk(tmp_path / "disk", kib=8_192)
    medium = str(tmp_path / "disk" / "data")
    within = (*disk.within, "sh", "-c", copied, str(tmp_path / "data"), medium)
    copy, new = f"{medium}/data", str(tmp_path / "new")
    for asked in (("verify", copy), ("restore", copy, "--data", new)):
        done = subprocess.run([*within, *GESTA, *asked], env=ALONE.environment, check=False)
        assert done.returncode == 0
    assert answer("verify", new)["well"]


def test_verify_tells_what_is_damaged_and_where(tmp_path: Path) -> None:
    with served(tmp_path, "examples.bank") as server:
        for name, hellers in (("a", 100), ("b", 100), ("c", 200)):
            words = ("execute", "BankAccount", name, "open", f"initial_deposit={hellers}")
            assert server.gesta(*words).returncode == 0
        held = ALONE("verify", str(tmp_path / "data"))
        assert (held.returncode, held.stdout) == (75, "")
        assert server.stop() == 0
    assert answer("verify", str(tmp_path / "data")) == {
        "well": True,
        "findings": [],
        "more": False,
    }
    path = tmp_path / "data" / FILE
    path.write_bytes(path.read_bytes().replace(b'"initial_deposit":100', b'"initial_deposit":900'))
    damaged = ALONE("verify", str(tmp_path / "data"))
    assert damaged.returncode == 8
    assert damaged.stdout.splitlines()[0].startswith("events, position 1: ")
    assert "2 findings: the log is damaged" in damaged.stderr
    told = ALONE("verify", str(path), "--json")
    assert [each["position"] for each in json.loads(told.stdout)["findings"]] == [1, 2]
    failed = ALONE("backup", str(tmp_path / "copy"), "--data", str(tmp_path / "data"), "--json")
    assert failed.returncode == 8
    assert json.loads(failed.stderr)["error"]["position"] == 1
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize(
    "words",
    [("backup", "{}", "--data", "."), ("restore", "{}", "--data", "."), ("verify", "{}")],
    ids=["backup", "restore", "verify"],
)
def test_what_the_file_system_refuses_is_told_in_a_line(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    with served(tmp_path, "examples.bank") as server:
        assert server.stop() == 0
    folder = tmp_path / ("new" if words[0] == "restore" else "data")
    told = {".": str(folder), "{}": str(tmp_path / ("long" * 99))}
    failed = ALONE(*(told.get(each, each) for each in words))
    assert (failed.returncode, failed.stdout) == (74, "")
    assert failed.stderr.startswith("gesta: STORAGE_FAILED: ")
    assert "File name too long" in failed.stderr


@pytest.mark.parametrize(
    "words",
    [("backup", "{}/copy", "--data", "{}"), ("restore", "{}", "--data", "{}"), ("verify", "{}")],
    ids=["backup", "restore", "verify"],
)
def test_where_there_is_no_log_the_ending_says_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    failed = ALONE(*(each.format(tmp_path) for each in words))
    assert (failed.returncode, failed.stdout) == (65, "")
    assert "there is no log at" in failed.stderr
