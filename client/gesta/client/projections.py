"""Projections, as the server hears of them: reporting, listing, waiting."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from gesta.client.connection import Connection
from gesta.client.times import to_datetime, to_milliseconds
from gesta.v1 import projection_service_pb2 as wire

_ANSWER_S = 5.0
"""On top of a wait, for the way there and back: a busy server is not to look like a dead one."""


class ProjectionReport(NamedTuple):
    """What one projection has reported."""

    name: str
    """With `@rebuild` at the end: of tables that will take the place of those that are read."""
    position: int
    """Everything up to here is stored."""
    lag_events: int
    lag_seconds: float
    """How long ago the first event after `position` was committed, by the server's clock; 0 where
    there is none."""
    reported_at: datetime
    """When the server heard of it last, by its clock; in UTC."""
    silent: bool
    """It has not been heard lately; nobody waits for it."""
    session: UUID


async def report(
    connection: Connection, name: str, session: UUID, token: str, timeout_s: float | None
) -> float:
    """Returns after how many seconds without another report it counts as silent."""
    answer = await connection.ask(
        connection.projections.ReportCheckpoint,
        wire.ReportCheckpointRequest(name=name, session=session.bytes, token=token),
        connection.attempts(timeout_s),
    )
    return answer.silent_after_ms / 1_000


async def reports(connection: Connection, timeout_s: float | None) -> list[ProjectionReport]:
    """By name."""
    answer = await connection.ask(
        connection.projections.ListProjections,
        wire.ListProjectionsRequest(),
        connection.attempts(timeout_s),
    )
    return [
        ProjectionReport(
            each.name,
            each.position,
            each.lag_events,
            each.lag.ToMicroseconds() / 1_000_000,
            to_datetime(each.reported_at),
            each.silent,
            UUID(bytes=each.session),
        )
        for each in answer.projections
    ]


async def wait(
    connection: Connection, names: str | Sequence[str], token: str, timeout_s: float | None
) -> tuple[str, ...]:
    """The names that are still pending when the time is up; none as soon as all are there.

    The server gives up on a projection that is silent, when it stops, and after a time of its own.
    Here it is asked again then, since the caller has said how long.
    """
    loop = asyncio.get_running_loop()
    left_s = connection.options.timeout_s if timeout_s is None else timeout_s
    deadline = loop.time() + left_s
    asked = [names] if isinstance(names, str) else names
    rounds = 0
    while True:
        request = wire.WaitForProjectionRequest(
            names=asked, token=token, timeout_ms=to_milliseconds(left_s)
        )
        attempts = connection.attempts(left_s + _ANSWER_S)
        answer = await connection.ask(connection.projections.WaitForProjection, request, attempts)
        left_s = deadline - loop.time()
        if not answer.pending or left_s <= 0:
            return tuple(answer.pending)
        rounds += 1
        await asyncio.sleep(min(connection.options.retry.backoff_s(rounds), left_s))
        left_s = max(deadline - loop.time(), 0.0)
