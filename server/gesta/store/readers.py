"""The connections that only read, each with a thread; a read goes to the least busy of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from gesta.store.connection import JobConnection, Link, nothing
from gesta.store.names import Names
from gesta.store.reading import Reader

T = TypeVar("T")
P = ParamSpec("P")


class Readers:
    """As many as were opened; none is no use."""

    def __init__(self) -> None:
        self._readers: list[tuple[Link, Reader]] = []
        self._door = asyncio.Event()
        self._door.set()

    async def add(self, path: Path, names: Names, streams_max: int, cache_kib: int) -> None:
        """Open one more connection, on a log that a writer has open."""
        link = await Link.open(path, "ro")

        def begin(connection: JobConnection) -> Reader:
            for pragma in ("query_only = ON", f"cache_size = -{cache_kib}", "mmap_size = 0"):
                connection.execute(f"PRAGMA {pragma}").fetchall()
            return Reader(connection, names, streams_max)

        try:
            self._readers.append((link, await link.run(begin)))
        except BaseException:
            link.stop()
            raise

    @property
    def held(self) -> bool:
        """Whether a read has to `wait_in_line` before it may run."""
        return not self._door.is_set()

    async def wait_in_line(self) -> None:
        """Until reads are let in again."""
        while self.held:
            await self._door.wait()

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Within this no read is under way: those inside have ended, new ones wait in line."""
        self._door.clear()
        try:
            # Behind all that a thread has to do, also for callers that no longer wait for it.
            await asyncio.gather(*(link.run(nothing) for link, _ in self._readers))
            yield
        finally:
            self._door.set()

    async def run(
        self, read: Callable[Concatenate[Reader, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The result of the read, made on the thread of one reader."""
        link, reader = min(self._readers, key=lambda each: each[0].jobs)
        return await link.run(lambda _: read(reader, *args, **kwargs))

    def take(self) -> list[Link]:
        """All connections, for closing; no read may follow."""
        links = [link for link, _ in self._readers]
        self._readers = []
        return links
