"""What is not a log of ours, or not a whole one, is refused and stays as it is."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from tests.contract.samples import PAGE, Author
from tests.unit.store.logs import write_log

from gesta.store import NotALog, SqliteStore
from gesta.store.sqlite import FILE


def _text(path: Path) -> None:
    path.write_text("Dear diary, " * 1_000)


def _short(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0")


def _of_another_program(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 1")
        connection.execute("CREATE TABLE t(x)")


def _emptied(path: Path) -> None:
    path.write_bytes(b"")


def _newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 2")


def _without_format(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 0")


def _truncated(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 4096)


def _truncated_within_a_page(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)


def _files(directory: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in directory.glob(f"{FILE}*")}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_text, "not an SQLite database"),
        (_short, "not an SQLite database"),
        (_of_another_program, "another program"),
        (_newer, "format 2; this gesta knows up to 1"),
        (_without_format, "unknown format 0"),
        (_truncated, "truncated"),
        (_emptied, "truncated: nothing is left"),
        (_truncated_within_a_page, "truncated"),
    ],
)
async def test_what_is_not_a_whole_log_is_refused_untouched(
    tmp_path: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    if "_program" not in spoil.__name__:
        await write_log(tmp_path)
    spoil(tmp_path / FILE)
    before = _files(tmp_path)
    with pytest.raises(NotALog, match=reason):
        await SqliteStore(tmp_path).open()
    assert _files(tmp_path) == before


async def _crash(directory: Path, to: Path, author: Author | None = None) -> Author:
    """Files as a process that was killed leaves them: commits only in the write-ahead log."""
    store = SqliteStore(directory)
    await store.open()
    author = author or Author(store)
    author.store = store
    for _ in range(50):
        await author.write("a", "b", data=b'"' + b"x" * 3_000 + b'"')
    _copy_files(directory, to)
    await store.close()
    return author


def _copy_files(directory: Path, to: Path) -> None:
    """Not the -shm, which is rebuilt from the write-ahead log after a crash."""
    to.mkdir()
    for each in (FILE, f"{FILE}-wal"):
        shutil.copy(directory / each, to)


async def test_pages_that_only_the_write_ahead_log_has_are_not_missing(tmp_path: Path) -> None:
    author = await _crash(tmp_path / "data", tmp_path / "crashed")
    store = SqliteStore(tmp_path / "crashed")
    info = await store.open()
    assert info.head == 100
    assert await store.read_log(0, 100, 100, PAGE) == author.written
    await store.close()


async def test_a_half_done_checkpoint_is_no_truncation(tmp_path: Path) -> None:
    author = await _crash(tmp_path / "data", tmp_path / "crashed")
    whole = (tmp_path / "data" / FILE).read_bytes()  # closed since, so all of it is there
    moved = len((tmp_path / "crashed" / FILE).read_bytes()) + 10 * 4096
    (tmp_path / "crashed" / FILE).write_bytes(whole[:moved])
    store = SqliteStore(tmp_path / "crashed")
    await store.open()
    assert await store.read_log(0, 100, 100, PAGE) == author.written
    await store.close()


async def test_a_truncation_shows_beside_a_write_ahead_log_that_lacks_the_pages(
    tmp_path: Path,
) -> None:
    author = await _crash(tmp_path / "data", tmp_path / "crashed")
    await _crash(tmp_path / "data", tmp_path / "again", author)
    with (tmp_path / "again" / FILE).open("r+b") as file:
        file.truncate(10 * 4096)
    before = _files(tmp_path / "again")
    with pytest.raises(NotALog, match="truncated: page"):
        await SqliteStore(tmp_path / "again").open()
    assert _files(tmp_path / "again") == before


async def test_a_newer_format_shows_in_the_write_ahead_log_alone(tmp_path: Path) -> None:
    await write_log(tmp_path)
    with closing(sqlite3.connect(tmp_path / FILE)) as connection:
        connection.execute("PRAGMA user_version = 2")
        files = _files(tmp_path)
    directory = tmp_path / "crashed"
    directory.mkdir()
    for name, content in files.items():
        (directory / name).write_bytes(content)
    with pytest.raises(NotALog, match="format 2"):
        await SqliteStore(directory).open()
    assert _files(directory) == files


async def test_a_log_whose_file_is_gone_is_not_begun_anew_over_its_rest(tmp_path: Path) -> None:
    await _crash(tmp_path / "data", tmp_path / "crashed")
    (tmp_path / "crashed" / FILE).unlink()
    before = _files(tmp_path / "crashed")
    with pytest.raises(NotALog, match="is missing, but its write-ahead log is there"):
        await SqliteStore(tmp_path / "crashed").open()
    assert _files(tmp_path / "crashed") == before


@pytest.mark.parametrize("left_over", [".new", ".new-journal"])
async def test_a_crash_while_a_log_was_created_leaves_nothing_behind(
    tmp_path: Path, left_over: str
) -> None:
    (tmp_path / f"{FILE}{left_over}").write_bytes(b"half a log")
    store = SqliteStore(tmp_path)
    info = await store.open()
    assert (info.head, info.epoch) == (0, 1)
    await store.close()
    assert list(_files(tmp_path)) == [FILE]
