"""The snapshots beside a log that no server has open, read and never written. It blocks."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from gesta.store.connection import JobConnection
from gesta.store.derived_file import MISHAPS
from gesta.store.offline import connect_read_only
from gesta.store.port import LogInfo, StoreError, Stream
from gesta.store.snapshots import Snapshot
from gesta.store.snapshots_sqlite import FILE, all_of, check_is_of


class OfflineSnapshots:
    """What a server over that log would find. Nothing here raises for what is in the file."""

    def __init__(self, connection: JobConnection | None, trouble: str | None) -> None:
        self._connection = connection
        self.trouble = trouble
        """Why none of them can be used, or not all; None where all is well or there is no file."""

    def of(self, stream: Stream) -> Mapping[int, Snapshot]:
        """By version, those that are as they were written."""
        if self._connection is None:
            return {}
        named = (stream.aggregate_type, stream.aggregate_id)
        try:
            found = all_of(self._connection, named)
        except MISHAPS as error:
            self.trouble = str(error)
            return {}
        return {each.version: each for each in found}


@contextmanager
def offline_snapshots(directory: Path, log: LogInfo) -> Iterator[OfflineSnapshots]:
    """Within `offline`, which keeps servers away."""
    path = directory / FILE
    if not path.is_file():
        yield OfflineSnapshots(None, None)
        return
    try:
        connection = connect_read_only(path)
    except StoreError as error:
        yield OfflineSnapshots(None, str(error))
        return
    with closing(connection):
        try:
            check_is_of(connection, (log.log_id, log.incarnations[-1].number))
        except (sqlite3.Error, UnicodeDecodeError) as error:
            yield OfflineSnapshots(None, str(error))
            return
        yield OfflineSnapshots(connection, None)
