"""SQLite's write-ahead log, read from outside (https://sqlite.org/fileformat2.html#walformat).

Opening and closing this file is safe beside SQLite, which keeps no lock on it.
"""

import os
from pathlib import Path
from struct import Struct
from typing import BinaryIO, NamedTuple

_HEADER_BYTES = 32
_HEADER = Struct(">8xI4x8s")  # page size, salts
_FRAME_BYTES = 24
_FRAME = Struct(">II8s")  # page number, pages of the database if this ends a commit, salts
_SALTS_AT = 16
_FRAME_SALTS_AT = 8
_SALTS_BYTES = 8


class Committed(NamedTuple):
    """What a write-ahead log adds to its database file."""

    pages: dict[int, int]
    """Where the newest committed copy of each page begins."""
    database_pages: int
    """Pages of the whole database after the last commit; 0 without any."""


def committed(path: Path) -> Committed:
    """The committed pages of the log at this path; nothing if there is no such file."""
    if not path.exists():
        return Committed({}, 0)
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            return Committed({}, 0)
        page_bytes, salts = _HEADER.unpack_from(header)
        return _committed_frames(file, page_bytes, salts)


def _committed_frames(file: BinaryIO, page_bytes: int, salts: bytes) -> Committed:
    pages: dict[int, int] = {}
    open_pages: dict[int, int] = {}
    database_pages = 0
    size = file.seek(0, os.SEEK_END)
    for at in range(_HEADER_BYTES, size - _FRAME_BYTES - page_bytes + 1, _FRAME_BYTES + page_bytes):
        file.seek(at)
        number, after_commit, of_salts = _FRAME.unpack(file.read(_FRAME.size))
        if of_salts != salts:
            break  # left over from before the log was last begun anew
        open_pages[number] = at + _FRAME_BYTES
        if after_commit:
            pages.update(open_pages)
            open_pages.clear()
            database_pages = after_commit
    return Committed(pages, database_pages)


class WalGauge:
    """Tells cheaply whether the log has grown to a number of pages.

    The file keeps its size when it is begun anew, so the size says nothing. But a frame carries the
    salts of its header only if it was written since: one look at frame n settles it (3 µs).
    """

    def __init__(self, path: Path, page_bytes: int) -> None:
        self._descriptor: int | None = os.open(path, os.O_RDONLY)
        self._step = _FRAME_BYTES + page_bytes

    def has_reached(self, pages: int) -> bool:
        if self._descriptor is None:
            return False
        at = _HEADER_BYTES + (pages - 1) * self._step + _FRAME_SALTS_AT
        salts = os.pread(self._descriptor, _SALTS_BYTES, _SALTS_AT)
        return os.pread(self._descriptor, _SALTS_BYTES, at) == salts != b""

    def close(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
