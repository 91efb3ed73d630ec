"""A client that keeps a history as it goes."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from tests.history.history import History, Seen, Write
from tests.history.log import LoggedEvent, logged

from gesta.client import (
    AggregateNotFound,
    Client,
    Done,
    GestaError,
    Outcome,
    Subscription,
)
from gesta.client.ids import CommandIds

FigureOf = Callable[[Any], int]
"""The figure in a reply or a state, both plain JSON."""


class Recorder:
    """Asks through `client`, and writes down what was asked and answered."""

    def __init__(self, client: Client, history: History) -> None:
        self._client = client
        self._ids = CommandIds()
        self.history = history

    async def execute(
        self,
        command: str,
        arguments: Mapping[str, object],
        writes: Sequence[Write],
        *,
        figure_of: FigureOf | None = None,
        command_id: UUID | None = None,
        timeout_s: float | None = None,
    ) -> Done[Any] | GestaError:
        """A command to the aggregate that `writes` names. An error is returned, not raised."""
        command_id = command_id or UUID(bytes=self._ids.draw())
        to = writes[0]
        asked = self.history.invoke(command_id.bytes, writes)
        try:
            done = await self._client.execute(
                to.aggregate_type,
                to.aggregate_id,
                command,
                arguments,
                command_id=command_id,
                timeout_s=timeout_s,
            )
        except GestaError as error:
            if error.outcome is Outcome.NOT_DONE:
                self.history.not_done(asked)
            return error
        reply = figure_of(done.reply) if figure_of else None
        self.history.done(asked, done.position, done.version, reply)
        return done

    async def state(
        self, aggregate_type: str, aggregate_id: str, figure_of: FigureOf
    ) -> GestaError | None:
        """A read of one aggregate; the error, if there is no answer."""
        asked = self.history.ask(aggregate_type, aggregate_id)
        try:
            state = await self._client.state(aggregate_type, aggregate_id)
        except AggregateNotFound:
            self.history.answered(asked, 0, None, 0)
        except GestaError as error:
            return error
        else:
            self.history.answered(asked, state.version, state.position, figure_of(state.state))
        return None

    async def follow(self, subscription: Subscription, seen: Seen, until: float = math.inf) -> None:
        """Takes what comes, up to the position `until` or for ever. Raises GestaError."""
        while seen.position < until:
            batch = await subscription.next_batch()
            self.history.take(seen, [logged(each.message) for each in batch.events])

    async def log(self) -> list[LoggedEvent]:
        """One full read, for the checker."""
        return [logged(each.message) async for each in self._client.read()]
