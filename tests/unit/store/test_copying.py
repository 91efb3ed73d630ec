"""A log is copied, and a copy takes the place of a lost log as another incarnation of it."""

import asyncio
import shutil
import stat
from pathlib import Path

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.logs import behind_the_back, everything, write_killed_log, write_log
from tests.unit.store.test_offline import files

from gesta.store import (
    CorruptLog,
    EventRecord,
    Incarnation,
    LogLocked,
    NotALog,
    SqliteStore,
    StorageFailed,
    verify,
)
from gesta.store.copying import back_up, restore
from gesta.store.lock import LogLock
from gesta.store.sqlite import FILE, LOCK_FILE


async def write_more(directory: Path, *aggregate_ids: str) -> None:
    """Goes on in a log, with streams that it does not have yet."""
    store = SqliteStore(directory)
    info = await store.open()
    await Author(store, info.head).write(*aggregate_ids, commit_time_us=info.last_commit_time_us)
    await store.close()


async def read(directory: Path) -> tuple[tuple[Incarnation, ...], list[EventRecord]]:
    store = SqliteStore(directory)
    info = await store.open()
    events = await store.read_log(0, info.head, 99, PAGE)
    await store.close()
    return info.incarnations, events


def damage(directory: Path) -> None:
    with behind_the_back(directory) as connection:
        connection.execute("UPDATE events SET data = '{}' WHERE position = 3")


async def test_a_copy_is_one_private_file_with_all_that_the_log_has(tmp_path: Path) -> None:
    log, copy = tmp_path / "log", tmp_path / "copy"
    author = await write_log(log)
    before = files(log)
    info = back_up(log, copy)
    assert (info.head, info.incarnations) == (6, (Incarnation(1, 0),))
    assert files(log) == before
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "log"]
    assert list(verify(copy)) == []
    (tmp_path / "other").mkdir()
    shutil.move(copy, tmp_path / "other" / FILE)
    assert await everything(tmp_path / "other", author) == await everything(log, author)


async def test_a_copy_has_what_a_killed_server_left_in_the_write_ahead_log(tmp_path: Path) -> None:
    left = tmp_path / "left"
    author = await write_killed_log(left)
    assert back_up(left, tmp_path / "copy").head == 6
    restore(tmp_path / "copy", tmp_path / "new")
    assert (await read(tmp_path / "new"))[1] == author.written


async def test_a_copy_has_what_was_committed_when_it_was_begun_however_much_is_written_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesta.store.copying._STEP_PAGES", 1)
    log, loop = tmp_path / "log", asyncio.get_running_loop()
    store = SqliteStore(log, wal_pages_max=1)  # so that the server moves it all the time
    await store.open()
    author = Author(store)
    await author.write(*"abcabc")
    steps = []

    def write(part: str, done: int, total: int) -> None:
        if part == "pages":
            steps.append(done)
            asyncio.run_coroutine_threadsafe(author.write("d"), loop).result()

    info = await asyncio.to_thread(back_up, log, tmp_path / "copy", on_progress=write)
    assert info.head == 6
    assert author.head == 6 + len(steps) > 10
    await store.close()
    restore(tmp_path / "copy", tmp_path / "new")
    assert (await read(tmp_path / "new"))[1] == author.written[:6]


async def test_nothing_is_beside_a_copy_that_is_not_complete_but_its_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gesta.store.copying._STEP_PAGES", 1)
    log, copies = tmp_path / "log", tmp_path / "copies"
    await write_log(log)
    copies.mkdir()
    seen = set()

    def look(part: str, done: int, total: int) -> None:
        seen.add(tuple(each.suffix for each in copies.iterdir()))

    back_up(log, copies / "copy", on_progress=look)
    assert seen == {(".new",)}


async def test_what_is_there_is_never_written_over(tmp_path: Path) -> None:
    log, copy = tmp_path / "log", tmp_path / "copy"
    await write_log(log)
    copy.write_bytes(b"mine")
    with pytest.raises(FileExistsError, match=str(copy)):
        back_up(log, copy)
    assert copy.read_bytes() == b"mine"
    before = files(log)
    back_up(log, tmp_path / "good")
    with pytest.raises(FileExistsError, match=FILE):
        restore(tmp_path / "good", log)
    assert files(log) == before


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
async def test_no_copy_is_put_where_it_would_read_the_write_ahead_log_of_another(
    tmp_path: Path, suffix: str
) -> None:
    log, beside = tmp_path / "log", tmp_path / f"copy{suffix}"
    await write_log(log)
    beside.write_bytes(b"of a copy that was here before")
    with pytest.raises(FileExistsError, match=str(beside)):
        back_up(log, tmp_path / "copy")
    assert sorted(each.name for each in tmp_path.iterdir()) == [beside.name, "log"]


async def test_no_copy_is_left_of_a_damaged_log_unless_that_is_wanted(tmp_path: Path) -> None:
    log, copy = tmp_path / "log", tmp_path / "copy"
    await write_log(log)
    damage(log)
    with pytest.raises(CorruptLog) as found:
        back_up(log, copy)
    assert found.value.position == 3
    assert [each.name for each in tmp_path.iterdir()] == ["log"]
    back_up(log, copy, verified=False)
    assert [each.position for each in verify(copy)] == [3]


async def test_no_log_is_made_of_a_damaged_copy_unless_that_is_wanted(tmp_path: Path) -> None:
    log, new = tmp_path / "log", tmp_path / "new"
    await write_log(log)
    damage(log)
    with pytest.raises(CorruptLog) as found:
        restore(log, new)
    assert found.value.position == 3
    assert [each.name for each in new.iterdir()] == [LOCK_FILE]
    assert restore(log, new, verified=False).head == 6
    assert [each.position for each in verify(new)] == [3]


async def test_what_is_restored_forks_off_after_the_last_event_of_the_copy(tmp_path: Path) -> None:
    log, copy, new = tmp_path / "log", tmp_path / "copy", tmp_path / "new"
    author = await write_log(log)
    back_up(log, copy)
    before = copy.read_bytes()
    await write_more(log, "lost")
    info = restore(copy, new)
    assert info.incarnations == (Incarnation(1, 0), Incarnation(2, 6))
    assert copy.read_bytes() == before
    assert list(verify(new)) == []
    await write_more(new, "a-3", "a-4")
    incarnations, events = await read(new)
    assert incarnations == info.incarnations
    assert events[:6] == author.written
    assert [each.aggregate_id for each in events[6:]] == ["a-3", "a-4"]
    assert list(verify(new)) == []


async def test_an_incarnation_that_the_copy_has_not_heard_of_is_not_begun_again(
    tmp_path: Path,
) -> None:
    log, copy, second, third = (tmp_path / name for name in ("log", "copy", "second", "third"))
    await write_log(log)
    back_up(log, copy)
    restore(copy, second)
    await write_more(second, "a-3")
    assert restore(copy, third, replaced=second).incarnations == (
        Incarnation(1, 0),
        Incarnation(2, 6),
        Incarnation(3, 6),
    )
    assert list(verify(third)) == []


async def test_a_newer_copy_after_an_older_one_forks_off_where_the_log_between_them_did(
    tmp_path: Path,
) -> None:
    """Whose readers may have an event at a position that the newer copy has, too: another one."""
    log, old, new, second, third = (tmp_path / name for name in ("l", "o", "n", "second", "third"))
    await write_log(log)
    back_up(log, old)
    await write_more(log, "a-3", "a-4")
    back_up(log, new)
    restore(old, second)
    await write_more(second, "a-5")
    assert restore(new, third, replaced=second).incarnations == (
        Incarnation(1, 0),
        Incarnation(2, 6),
        Incarnation(3, 6),
    )
    assert list(verify(third)) == []


async def test_incarnations_of_one_number_that_differ_count_as_parted_where_the_first_did(
    tmp_path: Path,
) -> None:
    log, old, new, one, other = (tmp_path / name for name in ("l", "o", "n", "one", "other"))
    await write_log(log)
    back_up(log, old)
    await write_more(log, "a-3", "a-4")
    back_up(log, new)
    restore(new, one)
    restore(old, other)  # as if nothing were left of the one
    for copy, lost in ((one, other), (other, one)):
        info = restore(copy, tmp_path / f"after-{copy.name}", replaced=lost)
        assert info.incarnations[2:] == (Incarnation(3, 6),)


async def test_the_lives_of_a_log_count_however_damaged_its_events_are(tmp_path: Path) -> None:
    log, copy, second = tmp_path / "log", tmp_path / "copy", tmp_path / "second"
    await write_log(log)
    back_up(log, copy)
    restore(copy, second)
    with behind_the_back(second) as connection:
        connection.execute("UPDATE events SET checksum = 0")
    info = restore(copy, tmp_path / "third", replaced=second / FILE)
    assert info.incarnations[-1].number == 3


async def test_a_copy_does_not_take_the_place_of_another_log(tmp_path: Path) -> None:
    log, other, new = tmp_path / "log", tmp_path / "other", tmp_path / "new"
    await write_log(log)
    await write_log(other)
    for replaced, said in ((other, "another log"), (tmp_path / "none", "no log")):
        with pytest.raises(NotALog, match=said):
            restore(log, new, replaced=replaced)
        assert [each.name for each in new.iterdir()] == [LOCK_FILE]


async def test_a_directory_that_a_server_has_is_refused(tmp_path: Path) -> None:
    log, new = tmp_path / "log", tmp_path / "new"
    await write_log(log)
    new.mkdir()
    lock = LogLock.take_at_once(new / LOCK_FILE)
    with pytest.raises(LogLocked):
        restore(log, new)
    lock.release()
    assert restore(log, new).head == 6


async def test_the_log_of_a_server_is_neither_restored_nor_verified_by_whatever_name(
    tmp_path: Path,
) -> None:
    log, link = tmp_path / "log", tmp_path / "link"
    await write_log(log)
    link.symlink_to(log / FILE)
    lock = LogLock.take_at_once(log / LOCK_FILE)
    for name in (log, log / FILE, link):
        with pytest.raises(LogLocked):
            restore(name, tmp_path / "new")
        with pytest.raises(LogLocked):
            list(verify(name))
    lock.release()
    assert list(verify(link)) == []
    assert restore(link, tmp_path / "new").head == 6


async def test_a_link_to_a_log_has_what_is_in_its_write_ahead_log(tmp_path: Path) -> None:
    live, link = tmp_path / "live", tmp_path / "link"
    store = SqliteStore(live)
    await store.open()
    await Author(store).write(*"abcabc")
    shutil.copy(live / FILE, tmp_path / "left")
    shutil.copy(live / (FILE + "-wal"), tmp_path / "left-wal")
    await store.close()
    link.symlink_to(tmp_path / "left")
    assert restore(link, tmp_path / "new").head == 6


async def test_what_is_no_log_is_neither_copied_nor_restored(tmp_path: Path) -> None:
    junk, new = tmp_path / "junk", tmp_path / "new"
    junk.write_bytes(b"not a database" * 99)
    with pytest.raises(NotALog):
        restore(junk, new)
    assert [each.name for each in new.iterdir()] == [LOCK_FILE]
    with pytest.raises(NotALog):
        back_up(new, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


async def test_a_draft_that_a_crash_left_behind_is_no_obstacle(tmp_path: Path) -> None:
    log, new = tmp_path / "log", tmp_path / "new"
    await write_log(log)
    new.mkdir()
    (new / (FILE + ".new")).write_bytes(b"half a log")
    assert restore(log, new).head == 6
    assert list(verify(new)) == []


async def test_a_copy_that_cannot_be_written_is_a_failure_of_the_storage(tmp_path: Path) -> None:
    log = tmp_path / "log"
    await write_log(log)
    with pytest.raises(StorageFailed, match="No such file"):
        back_up(log, tmp_path / "nowhere" / "copy")
