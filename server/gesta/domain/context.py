"""What a decision may know beyond its state and arguments."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class Context(NamedTuple):
    """Given to a command or query that asks for it by a first parameter annotated `Context`.

    The same command decided again with the same context gives the same events: take the time and
    ids from here, never from a clock or a generator of random numbers.
    """

    aggregate_id: str
    version: int
    """The aggregate's version before this command; 0 when it does not exist yet."""
    now: datetime
    """In UTC. Never before the last commit, so it does not run backwards."""
    principal: str
    """Who asks, as the server knows it; "anonymous" until there is authentication."""
    command_id: UUID
