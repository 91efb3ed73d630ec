"""The kinds of broken promises."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """Each is one sentence of what the server promises, and what it looks like broken."""

    POSITION_GAP = "positions do not count from 1 without a gap"
    VERSION_GAP = "an aggregate's versions do not count from 1 without a gap"
    TIME_BACKWARDS = "an event was committed before the one in front of it"
    EVENT_ID_TWICE = "two events have one id"
    PARTED = "a command's events do not stand together, or do not say where they end"
    TWICE = "a command was executed twice"
    LOST = "an acknowledged command is not in the log"
    MISPLACED = "an acknowledged command stands elsewhere than it was told"
    OTHER_BYTES = "a command wrote something else than it was to write"
    DONE_AFTER_ALL = "a command is in the log whose caller was told that it was not done"
    NOBODY_ASKED = "an event is in the log that nobody asked for"
    TWO_ANSWERS = "one command was answered in two ways"
    OUT_OF_ORDER = "a command stands before what was known when it was asked"
    WRONG_REPLY = "a reply is not what the log says"
    STALE_READ = "a read is older than what was known when it was asked"
    WRONG_READ = "a read is not what the log says"
    SEEN_GAP = "a subscriber was not given an event"
    SEEN_TOO_LITTLE = "a subscriber was not given the end of what he waited for"
    SEEN_TWICE = "a subscriber was given an event again"
    SEEN_OTHERWISE = "a subscriber was given an event that the log does not have like that"


class Violation(NamedTuple):
    """One promise that was not kept."""

    kind: Kind
    text: str
    """Where."""

    def __str__(self) -> str:
        return f"{self.kind.name} ({self.kind}): {self.text}"
