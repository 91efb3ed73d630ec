"""What calls return. Structs of msgspec, because one is made for every command: a frozen dataclass
costs 1.5 µs to make, these 0.3."""

from typing import Generic, TypeVar
from uuid import UUID

import msgspec

R = TypeVar("R")
S = TypeVar("S")


class Done(msgspec.Struct, Generic[R], frozen=True):
    """An accepted command. Its events are on the server's disk."""

    reply: R
    """What the command returned."""
    version: int
    """The aggregate's version after it."""
    position: int
    """Of its last event; without events, of the last one committed before it."""
    token: str
    """Stands for that position, as `min_token` or to subscribe after it."""
    event_count: int
    replayed: bool
    """This is the remembered answer of an earlier attempt with the same command id."""
    command_id_bytes: bytes
    pending: tuple[str, ...] = ()
    """Committed, not projected yet: those of `wait_for` that had not come as far as `token`."""

    @property
    def command_id(self) -> UUID:
        return UUID(bytes=self.command_id_bytes)


class State(msgspec.Struct, Generic[S], frozen=True):
    """An aggregate as it stands."""

    state: S
    version: int
    position: int
    """The head that the answer rests on."""
    token: str
    """Stands for that head."""


class AggregateSummary(msgspec.Struct, frozen=True):
    """An aggregate in a list."""

    aggregate_type: str
    aggregate_id: str
    version: int


class Appended(msgspec.Struct, frozen=True):
    """Events appended without a command. They are on the server's disk."""

    first_position: int
    position: int
    token: str
    replayed: bool
    command_id_bytes: bytes

    @property
    def command_id(self) -> UUID:
        return UUID(bytes=self.command_id_bytes)
