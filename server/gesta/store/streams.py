"""Which aggregate a stream's number stands for: a bounded memory over the table `streams`."""

from collections.abc import Iterable, Mapping
from itertools import islice

from msgspec import json

from gesta.store.connection import JobConnection
from gesta.store.rows import stream_of

STREAM_COLUMNS = "id, type_id, aggregate_id, slice, checksum"
_ONE = f"SELECT {STREAM_COLUMNS} FROM streams WHERE id = ?"  # noqa: S608
_THESE = (
    f"SELECT {STREAM_COLUMNS} FROM streams "  # noqa: S608
    "WHERE id IN (SELECT value FROM json_each(?))"
)


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

    def meet(self, numbers: Iterable[int]) -> None:
        """Read in one go what is not remembered of these: half of what one by one costs."""
        # Not as a difference of sets, which goes through all that is remembered.
        missing = [number for number in set(numbers) if number not in self]
        if len(missing) > 1:
            for row in self._connection.execute(_THESE, (json.encode(missing).decode(),)):
                self._keep(row[0], stream_of(row, self._names))

    def __missing__(self, number: int) -> tuple[str, str]:
        row = self._connection.execute(_ONE, (number,)).fetchone()
        if row is None:
            raise KeyError(f"stream {number}")
        return self._keep(number, stream_of(row, self._names))

    def _keep(self, number: int, named: tuple[str, str]) -> tuple[str, str]:
        if len(self) >= self._streams_max:
            # The oldest half at once: dropping one at a time would cost a search each.
            for old in list(islice(self, (len(self) + 1) // 2)):
                del self[old]
        self[number] = named
        return named
