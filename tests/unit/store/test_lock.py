"""One server per log."""

import asyncio
import os
import socket
import threading
from pathlib import Path

import pytest

from gesta.store import LogLocked, SqliteStore
from gesta.store.lock import PATIENCE_S
from gesta.store.sqlite import FILE, LOCK_FILE


async def test_a_second_store_is_refused_and_told_who_holds_the_log(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path), SqliteStore(tmp_path)
    await first.open()
    with pytest.raises(LogLocked) as caught:
        await second.open()
    assert caught.value.path == str(tmp_path / LOCK_FILE)
    assert f"pid {os.getpid()} on {socket.gethostname()} since 2" in caught.value.holder
    await first.close()
    await second.open()
    await second.close()


def test_a_second_server_is_refused_within_a_second() -> None:
    assert PATIENCE_S < 1


async def test_a_store_that_was_refused_leaves_the_lock_alone(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path), SqliteStore(tmp_path)
    await first.open()
    for _ in range(2):
        with pytest.raises(LogLocked):
            await second.open()
    await first.close()


async def test_a_server_that_is_just_ending_is_waited_for(tmp_path: Path) -> None:
    first, second = SqliteStore(tmp_path), SqliteStore(tmp_path)
    await first.open()
    opening = asyncio.ensure_future(second.open())
    await asyncio.sleep(0)  # it begins, and finds the lock taken
    await first.close()
    info = await opening
    assert info.epoch == 2
    await second.close()


async def test_an_abandoned_store_lets_go_of_its_lock_once_its_thread_has_closed(
    tmp_path: Path,
) -> None:
    first, second = SqliteStore(tmp_path), SqliteStore(tmp_path)
    await first.open()
    first.abandon()
    first.abandon()
    info = await second.open()
    assert info.epoch == 2
    await second.close()


def test_a_store_may_be_abandoned_as_its_loop_ends_or_from_another_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures: list[object] = []
    monkeypatch.setattr(threading, "excepthook", failures.append)

    async def open_and_abandon(*, on_another_thread: bool) -> int:
        store = SqliteStore(tmp_path)
        epoch = (await store.open()).epoch
        if on_another_thread:
            await asyncio.to_thread(store.abandon)
        else:
            store.abandon()
        return epoch

    before = set(threading.enumerate())
    assert asyncio.run(open_and_abandon(on_another_thread=False)) == 1
    assert asyncio.run(open_and_abandon(on_another_thread=True)) == 2
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert failures == []


async def test_the_directory_and_all_in_it_are_for_its_owner_alone(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "data"
    store = SqliteStore(directory)
    await store.open()
    assert directory.stat().st_mode & 0o777 == 0o700
    modes = {each.name: each.stat().st_mode & 0o777 for each in directory.iterdir()}
    assert modes == dict.fromkeys((LOCK_FILE, FILE, f"{FILE}-wal", f"{FILE}-shm"), 0o600)
    await store.close()
