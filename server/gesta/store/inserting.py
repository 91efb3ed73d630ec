"""Many rows of a table in one statement.

Python lets go of the interpreter lock for every statement, and may wait for it each time while the
event loop is busy.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from gesta.store.connection import JobConnection

_SIZES = tuple(1 << power for power in range(9))
"""Rows of a prepared INSERT. The smallest that holds a batch is taken, and what it has too many is
NULL and passed over: 1 µs for such a row, where one more statement may cost 100. The largest has
4,352 of SQLite's 32,766 parameters."""

_TEXT = "CAST({} AS TEXT)"
"""A column of texts that are given as bytes."""


class Insert:
    """INSERTs into a table, of all sizes. Columns count from 1.

    `texts`: those that get bytes. `shared`: those in which all rows of a `run` have one value.
    """

    def __init__(
        self, table: str, columns: int, texts: Sequence[int] = (), shared: Sequence[int] = ()
    ) -> None:
        self._columns = columns - len(shared)
        given = [number for number in range(1, columns + 1) if number not in shared]
        source = {number: f"column{index}" for index, number in enumerate(given, 1)}
        source |= {number: f"?{index}" for index, number in enumerate(shared, 1)}
        source |= {number: _TEXT.format(source[number]) for number in texts}
        values = [source[number] for number in range(1, columns + 1)]
        row = f"({','.join('?' * self._columns)})"
        self._texts = {
            size: f"INSERT INTO {table} SELECT {','.join(values)} "  # noqa: S608
            f"FROM (VALUES {','.join([row] * size)}) WHERE column1 IS NOT NULL"
            for size in _SIZES
        }

    def run(
        self, connection: JobConnection, parameters: list[Any], shared: Sequence[Any] = ()
    ) -> None:
        """Insert rows whose first column is not NULL: their values, one row after the other,
        without the shared ones."""
        most = _SIZES[-1] * self._columns
        for at in range(0, len(parameters), most):
            part = parameters[at : at + most]
            size = _SIZES[bisect_left(_SIZES, len(part) / self._columns)]
            part += [None] * (size * self._columns - len(part))
            connection.execute(self._texts[size], [*shared, *part])
