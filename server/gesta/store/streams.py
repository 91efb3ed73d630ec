"""Which aggregate a stream's number stands for: a bounded memory over the table `streams`."""

from collections.abc import Mapping
from itertools import islice

from gesta.store.connection import JobConnection
from gesta.store.rows import stream_of

STREAM_COLUMNS = "id, type_id, aggregate_id, slice, checksum"


class StreamNames(dict[int, tuple[str, str]]):
    """Type and id by number, read when needed; KeyError if there is no such stream.

    Belongs to one connection and its thread.
    """

    def __init__(
        self, connection: JobConnection, names: Mapping[int, str], streams_max: int
    ) -> None:
        super().__init__()
        self._connection = connection
        self._names = names
        self._streams_max = streams_max

    def __missing__(self, number: int) -> tuple[str, str]:
        row = self._connection.execute(
            f"SELECT {STREAM_COLUMNS} FROM streams WHERE id = ?",  # noqa: S608
            (number,),
        ).fetchone()
        if row is None:
            raise KeyError(f"stream {number}")
        if len(self) >= self._streams_max:
            # The oldest half at once: dropping one at a time would cost a search each.
            for old in list(islice(self, (len(self) + 1) // 2)):
                del self[old]
        named = self[number] = stream_of(row, self._names)
        return named
