"""What a file is, judged from its bytes before SQLite, or anything else, touches it.

SQLite would create, recover or convert what it opens. A file that is not ours stays as it is.
"""

from pathlib import Path
from struct import Struct

from gesta.store import wal
from gesta.store.port import NotALog
from gesta.store.schema import APPLICATION_ID, FORMAT

_MAGIC = b"SQLite format 3\0"
_HEADER_BYTES = 100
# https://sqlite.org/fileformat2.html#the_database_header: magic, page size, change counter,
# pages, user_version, application_id, and the change counter for which the pages are right.
_FIELDS = Struct(">16sH6xII28xI4xI20xI")
_LARGEST_PAGE_BYTES = 65_536


def exists(path: Path) -> bool:
    """Whether there is a log at this path: False if one may be created, NotALog if neither."""
    beside = wal.committed(_wal_of(path))
    if not path.exists():
        if beside.pages:
            raise NotALog(f"{path} is missing, but its write-ahead log is there")
        return False
    if path.stat().st_size == 0:  # a new log gets this name when it is complete
        raise NotALog(f"{path} is truncated: nothing is left of it")
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC):
        raise NotALog(f"{path} is not an SQLite database")
    size = path.stat().st_size
    if 1 in beside.pages:  # the first page, and so the header, has a newer copy there
        with _wal_of(path).open("rb") as file:
            file.seek(beside.pages[1])
            header = file.read(_HEADER_BYTES)
    _check(path, header, size, beside)
    return True


def _check(path: Path, header: bytes, size: int, beside: wal.Committed) -> None:
    _, page_bytes, changes, pages, user_version, application_id, valid_for = _FIELDS.unpack_from(
        header
    )
    if application_id != APPLICATION_ID:
        raise NotALog(f"{path} is a database of another program")
    if user_version > FORMAT:
        raise NotALog(f"{path} has format {user_version}; this gesta knows up to {FORMAT}")
    if user_version < FORMAT:
        raise NotALog(f"{path} has the unknown format {user_version}")
    page_bytes = _LARGEST_PAGE_BYTES if page_bytes == 1 else page_bytes
    pages = beside.database_pages or (pages if changes == valid_for else 0)
    present = size // page_bytes
    missing = next((n for n in range(present + 1, pages + 1) if n not in beside.pages), None)
    if missing is not None:
        raise NotALog(f"{path} is truncated: page {missing} of {pages} is missing")


def _wal_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")
