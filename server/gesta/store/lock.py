"""One server per log: a lock on a file beside it, held until the last connection is closed.

The kernel lets go of it when the process ends, however it ends, so it is never stale. The file
stays; what it says about its holder is for people. It is not the log itself because closing any
handle on that would drop SQLite's own locks.
"""

import asyncio
import fcntl
import os
import socket
from datetime import UTC, datetime
from pathlib import Path

from gesta.store.port import LogLocked

PATIENCE_S = 0.5
"""For a server that is just ending. A second server is refused within a second."""

_RETRY_S = 0.05
_HOLDER_BYTES_MAX = 1_000


class LogLock:
    """A lock that is held. `release` may be called from any thread, and again."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    async def take(cls, path: Path) -> "LogLock":
        """Hold the lock; LogLocked says who else does."""
        for _ in range(round(PATIENCE_S / _RETRY_S)):
            try:
                return cls.take_at_once(path)
            except LogLocked as error:
                locked = error
            await asyncio.sleep(_RETRY_S)
        raise locked

    @classmethod
    def take_at_once(cls, path: Path) -> "LogLock":
        """Hold the lock, without patience; LogLocked says who else does."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if _locked(descriptor):
                return cls(descriptor)
            holder = os.pread(descriptor, _HOLDER_BYTES_MAX, 0).decode(errors="replace").strip()
            raise LogLocked(str(path), holder or "unknown")
        except BaseException:
            os.close(descriptor)
            raise

    def release(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = f"pid {os.getpid()} on {socket.gethostname()} since {since}\n"
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, holder.encode(), 0)
    return True
