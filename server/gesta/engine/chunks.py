"""Chunks: what one reader is given at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gesta.engine.tail import Encode
from gesta.engine.views import View
from gesta.store.port import EventRecord


@dataclass(slots=True)
class Chunk:
    """Progress of a cursor: some events, or none where nothing matched. May be given to several."""

    events: Sequence[bytes]
    """Encoded."""
    position: int
    """Everything up to here is delivered or did not match."""
    ends_command: bool
    """False: the command of the last event goes on after `position`."""
    frame: bytes | None = None
    """What the edge has made of it, for the next one who is given this chunk. It must depend on
    nothing else."""


def cut(records: Sequence[EventRecord], view: View, encode: Encode, bytes_max: int) -> Chunk:
    """The first frame's worth of consecutive events: it ends with a command, where one fits.

    At least one event is taken, however large. Raises UnreadableEvent as `View.encode` does.
    """
    see = encode if view.plain else partial(view.encode, encode=encode)
    events: list[bytes] = []
    size, position = 0, records[0].position
    whole, whole_position = 0, 0
    for record in records:
        encoded = see(record)
        if encoded is not None:
            size += len(encoded)
            if size > bytes_max and events:
                break
            events.append(encoded)
        position = record.position
        if not record.more_in_command:
            whole, whole_position = len(events), position
    if whole_position:
        return Chunk(events[:whole], whole_position, ends_command=True)
    return Chunk(events, position, ends_command=False)
