"""Tells the server how far one projection has come, beside the projection's own work."""

import asyncio
import contextlib
import logging
from types import TracebackType
from typing import Self
from uuid import UUID

from gesta.client.client import Client
from gesta.client.errors import ClientClosed, GestaError, SessionSuperseded
from gesta.client.ids import CommandIds

_LOG = logging.getLogger("gesta.client")

INTERVAL_S = 0.02
"""Between two reports: so much later may be heard who waits, and 50 calls a second are what a
projection that never rests costs the server."""
_HEARTBEAT_S = 5.0
"""Between signs of life, until the server has said how soon it counts a reporter as silent."""
_TIMEOUT_S = 5.0
"""Of one report; after that a newer one is worth more."""
_LAST_TIMEOUT_S = 1.0
"""Of the last one, for which the end of the projection waits."""

_sessions = CommandIds()
"""One for the process, so that of two reporters the later one is always the newer."""


class Reporter:
    """Reports for one projection, as one session. Use it as a context manager.

    `report` returns at once. At most one report is under way; the newest place is told, places in
    between may be passed over, and the last one is told when the context is left. With nothing new
    it gives a sign of life, so that the projection does not count as silent. Nothing here ever
    raises for a server that cannot be reached or will not hear: see `last_error`.
    """

    def __init__(self, client: Client, name: str, *, interval_s: float = INTERVAL_S) -> None:
        self.name = name
        self.session = UUID(bytes=_sessions.draw())
        self.last_error: GestaError | None = None
        """Why the last report was not heard; None while all is well."""
        self._client = client
        self._interval_s = interval_s
        self._token = ""
        """The newest; "" before the first."""
        self._told = ""
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def superseded(self) -> bool:
        """Whether a newer reporter of this name is heard instead, which answers those who wait.

        Logged as a warning when it begins. Reports go on, and are heard again once that one is
        silent.
        """
        return isinstance(self.last_error, SessionSuperseded)

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._task is not None, "it was entered"
        self._task.cancel()
        await asyncio.wait({self._task})
        if self._told != self._token:
            await self._tell(_LAST_TIMEOUT_S)

    def report(self, token: str) -> None:
        """Everything up to the token is stored. Call it after each commit."""
        self._token = token
        self._news.set()

    async def _run(self) -> None:
        await self._news.wait()
        heartbeat_s = _HEARTBEAT_S
        while not isinstance(self.last_error, ClientClosed):
            self._news.clear()
            heartbeat_s = await self._tell(_TIMEOUT_S) or heartbeat_s
            await asyncio.sleep(self._interval_s)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(heartbeat_s):
                    await self._news.wait()

    async def _tell(self, timeout_s: float) -> float | None:
        """Until when the next sign of life is due, in seconds; None where nobody heard."""
        token = self._token
        try:
            silent_after_s = await self._client.report_checkpoint(
                self.name, self.session, token, timeout_s=timeout_s
            )
        except GestaError as error:
            if isinstance(error, SessionSuperseded) and not self.superseded:
                _LOG.warning("%s: %s; those who wait for it are told by that one", self.name, error)
            self.last_error = error
            return None
        self.last_error = None
        self._told = token
        return silent_after_s / 3
