"""The domain says no."""

from enum import StrEnum


class Rejected(Exception):
    """Raised in a command to refuse it; the command's events are discarded.

    `reason` must be a member of the command's `rejects`; any other is a bug and reaches the caller
    as one. `message` is for people, `details` for programs: both go to the caller as they are, so
    keep them short, and free of what the caller may not know.
    """

    def __init__(self, reason: StrEnum | str, message: str = "", **details: str) -> None:
        super().__init__(message or str(reason))
        self.reason = str(reason)
        self.message = message
        # Text on the wire; a number that slipped past the type checker must not fail only there.
        self.details = {name: str(value) for name, value in details.items()}
