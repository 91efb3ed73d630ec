"""Which events a command is about."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime

from gesta.client import Client, Event, Match, Reading
from gesta.server.cli.exit_codes import ExitCode
from gesta.server.cli.failure import Failure


@dataclass(frozen=True, slots=True)
class Selection:
    """All that is given must hold of an event; None and () ask for nothing."""

    aggregate_type: str | None = None
    aggregate_id: str | None = None
    event_types: tuple[str, ...] = ()
    after: int | datetime | None = None
    """A position or a commit time; read backwards, the events are those before it."""
    as_stored: bool = False
    """In the version in which they were written, and `event_types` too."""

    @classmethod
    def of(
        cls,
        aggregate: str | None,
        event_types: Sequence[str],
        after: int | datetime | None,
        as_stored: bool,
    ) -> "Selection":
        """From TYPE or TYPE/ID, where the id may have slashes of its own. Raises Failure."""
        name, slash, aggregate_id = (aggregate or "").partition("/")
        if aggregate is not None and (not name or (slash and not aggregate_id)):
            raise Failure(ExitCode.BAD_INPUT, f"--aggregate: {aggregate!r} is not TYPE or TYPE/ID")
        return cls(name or None, aggregate_id or None, tuple(event_types), after, as_stored)

    @property
    def match(self) -> Match | None:
        """What the server can filter by. An id is a prefix there, so `of_batch` looks again."""
        if self.aggregate_type is None and not self.event_types:
            return None
        return Match(
            aggregate_types=[self.aggregate_type] if self.aggregate_type else [],
            event_types=self.event_types,
            id_prefix=self.aggregate_id or "",
        )

    def of_batch(self, batch: Sequence[Event]) -> list[Event]:
        """Those among events that the server sent that are meant."""
        return [
            event
            for event in batch
            if (self.aggregate_id is None or event.aggregate_id == self.aggregate_id)
            and (not self.event_types or event.event_type in self.event_types)
        ]

    def reading(self, client: Client, *, backwards: bool = False) -> Reading:
        """Of what is in the log now. One aggregate's events are read as its stream, which is short;
        after a position, where a stream is known by versions, they are filtered from the log."""
        if self.aggregate_type and self.aggregate_id and self.after is None:
            return client.read(
                (self.aggregate_type, self.aggregate_id),
                backwards=backwards,
                as_stored=self.as_stored,
            )
        return client.read(
            where=self.match, after=self.after, backwards=backwards, as_stored=self.as_stored
        )

    async def batches(self, reading: Reading) -> AsyncGenerator[list[Event], None]:
        """The events of `reading` that are meant. Never an empty list."""
        async with aclosing(reading.batches()) as batches:
            async for batch in batches:
                meant = self.of_batch(batch)
                if meant:
                    yield meant
