"""Events that are there, and then those that come."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from gesta.client import AggregateNotFound, Client, Event, GestaError
from gesta.server.cli.output import say
from gesta.server.cli.selection import Selection

_LOOK_S = 0.2
"""How often to look whether the connection still stands; for people, at once."""


async def follow(client: Client, selection: Selection) -> AsyncGenerator[list[Event], None]:
    """Never ends by itself. An aggregate that does not exist yet is waited for."""
    token: str | None = (await client.info()).token
    reading = selection.reading(client)
    try:
        async with aclosing(selection.batches(reading)) as batches:
            async for batch in batches:
                yield batch
        token = reading.token
        assert token is not None, "a reading that came to its end knows the head it went up to"
    except AggregateNotFound:
        pass  # at the head of that token, at least
    subscription = client.subscribe(
        after=token, where=selection.match, as_stored=selection.as_stored
    )
    watch = asyncio.create_task(say_how_it_is(subscription))  # from the first connection on
    try:
        async with subscription:
            while True:
                meant = selection.of_batch((await subscription.next_batch()).events)
                if meant:
                    yield meant
    finally:
        watch.cancel()


class Connected(Protocol):
    """What has a connection that may break."""

    @property
    def last_error(self) -> GestaError | None: ...


async def say_how_it_is(connected: Connected) -> None:
    """On stderr, whenever the connection breaks or stands again; until it is cancelled."""
    lost = False
    while True:
        await asyncio.sleep(_LOOK_S)
        error = connected.last_error
        if error is not None and not lost:
            say(f"gesta: connection lost, trying again: {error}")
        elif error is None and lost:
            say("gesta: connected again; what was missed follows")
        lost = error is not None
