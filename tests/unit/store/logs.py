"""Log files for tests: written, closed, opened behind the store's back, and read in full."""

import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from tests.contract.samples import PAGE, Author, a_command, id_v7

from gesta.store import CorruptLog, SqliteStore, Stream
from gesta.store.sqlite import FILE

HOUR_US = 3_600_000_000


async def write_log(directory: Path) -> Author:
    """A closed log: two streams, six events that use every field, seven answers (one quiet)."""
    store = SqliteStore(directory)
    await store.open()
    author = Author(store)
    for index in range(3):
        batch = author.batch(["a-1", "a-2"], commit_time_us=(index + 1) * HOUR_US)
        for at, event in enumerate(batch.events):
            batch.events[at] = event._replace(
                occurred_at_us=5,
                correlation_id="corr",
                causation_id="cause",
                traceparent="trace",
                metadata=b'{"k":"v"}',
            )
        if index == 2:
            quiet = a_command(id_v7(9, 9), position=6, commit_time_us=3 * HOUR_US)
            batch.commands.append(quiet)
        await author.append(batch)
    await store.close()
    return author


async def write_killed_log(directory: Path) -> Author:
    """As a server leaves it that is killed: six events of three streams, none moved out of the
    write-ahead log."""
    live = directory.with_name(directory.name + "-live")
    store = SqliteStore(live)
    await store.open()
    author = Author(store)
    await author.write(*"abcabc")
    directory.mkdir()
    for name in (FILE, FILE + "-wal"):
        shutil.copy(live / name, directory)
    await store.close()
    return author


@contextmanager
def behind_the_back(directory: Path, untyped: str = "") -> Iterator[sqlite3.Connection]:
    """The file, writable, with nothing to stop a change; the schema is whole again afterwards.

    `untyped` is a table that takes values of any type, and NULL, meanwhile.
    """
    path = directory / FILE
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        triggers = connection.execute(
            "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        ).fetchall()
        for name, _ in triggers:
            connection.execute(f"DROP TRIGGER {name}")
    typed = _rewrite_schema(path, untyped, _without_types) if untyped else ""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        yield connection
    if untyped:
        _rewrite_schema(path, untyped, lambda _: typed)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _, sql in triggers:
            connection.execute(sql)


def _without_types(definition: str) -> str:
    """The primary key stays an INTEGER, because it is the number of the row."""
    loose = re.sub(r" INTEGER(?! PRIMARY)| TEXT| BLOB| NOT NULL", "", definition)
    return loose.replace("STRICT", "")


def _rewrite_schema(path: Path, table: str, change: Callable[[str], str]) -> str:
    """Change the text of a table's definition; the text it had. Its rows stay as they are."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        query = "SELECT sql FROM sqlite_schema WHERE name = ?"
        was: str
        (was,) = connection.execute(query, (table,)).fetchone()
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_schema SET sql = ? WHERE name = ?", (change(was), table))
    return was


async def everything(directory: Path, author: Author) -> list[object]:
    """The answers of all that a store can be asked; an answer that is refused as CorruptLog."""
    store = SqliteStore(directory)
    try:
        info = await store.open()
    except CorruptLog as error:
        return [error]
    answers: list[object] = [(info.log_id, info.incarnations, info.head, info.last_commit_time_us)]
    a1 = Stream("BankAccount", "a-1", 1)
    commands = [id_v7(9, 9), *(each.command_id for each in author.written)]
    strange = await _strange_ids(store, commands)
    questions = [
        store.read_log(0, 99, 99, PAGE),
        store.read_log_backwards(99, 99, PAGE),
        store.read_positions(range(1, 7)),
        store.read_stream(a1, 0, 99, PAGE),
        store.read_stream_backwards(a1, 99, 99, PAGE),
        store.find_stream("BankAccount", "a-1"),
        store.find_stream("BankAccount", "a-2"),
        store.find_stream("BankAccount", "a-1", 9),
        store.find_stream("BankAccount", "a-2", 9),
        store.list_streams("BankAccount", "", "", 99),
        store.command_ids_between(b"", b"\xff" * 16, 99),
        *(store.position_at(hours * HOUR_US) for hours in range(5)),
        *(store.find_command(each) for each in commands),
        store.prune_commands(0, 99),
        *(store.find_command(each) for each in strange),
    ]
    for question in questions:
        try:
            answers.append(_plain(await question))
        except CorruptLog as error:
            answers.append(error)
    await store.close()
    return answers


async def _strange_ids(store: SqliteStore, known: list[bytes]) -> list[bytes]:
    """The ids of answers that nobody has written."""
    ids = await store.command_ids_between(b"", b"\xff" * 17, 99)
    return [each for each in ids if each not in known]


def _plain(answer: object) -> object:
    """The same, with stream handles replaced by what can be compared."""
    if isinstance(answer, list):
        return [_plain(each) for each in answer]
    if isinstance(answer, tuple) and answer and isinstance(answer[0], Stream):
        stream = answer[0]
        return (stream.aggregate_type, stream.aggregate_id, stream.number, *answer[1:])
    return answer
