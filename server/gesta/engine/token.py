"""Tokens: opaque places in a log, for resuming, waiting and reading one's own writes.

A token says which log, which of its incarnations, and which position. It is fixed in length, so
that a token cut short cannot pass for another. Its text is an implementation detail: nobody but
this file may take one apart.
"""

import base64
import struct

from gesta.engine.errors import InvalidRequest, LogRestored, OutOfRange
from gesta.store.port import LogInfo

_PREFIX = struct.Struct(">B16sI")
_FORMAT = 1
_PREFIX_CHARS = 28
_POSITION_CHARS = 16


class Tokens:
    """Makes and reads the tokens of one opened log."""

    def __init__(self, log: LogInfo) -> None:
        self._log = log
        self._prefix = _prefix(log.log_id, log.incarnations[-1].number)

    def mint(self, position: int) -> str:
        """The token that stands for a position of the incarnation being written."""
        return f"{self._prefix}{position:016x}"

    def position(self, token: str, head: int, field: str) -> int:
        """The position a token stands for.

        Raises InvalidRequest (not a token, or of another log), LogRestored (of a part that a
        restore undid) or OutOfRange (past `head`: of a log that was cut), naming `field`.
        """
        log_id, incarnation, position = _parse(token, field)
        if log_id != self._log.log_id:
            raise InvalidRequest(field, "the token is of another log")
        if incarnation > self._log.incarnations[-1].number:
            raise InvalidRequest(field, "the token is of an incarnation this log has not had")
        undone = [
            later.fork_position
            for later in self._log.incarnations
            if later.number > incarnation and position > later.fork_position
        ]
        if undone:
            raise LogRestored(min(undone))
        if position > head:
            raise OutOfRange(field, position, head)
        return position


def _prefix(log_id: bytes, incarnation: int) -> str:
    packed = _PREFIX.pack(_FORMAT, log_id, incarnation)
    return base64.urlsafe_b64encode(packed).decode()


def _parse(token: str, field: str) -> tuple[bytes, int, int]:
    malformed = InvalidRequest(field, "not a token of gesta")
    if len(token) != _PREFIX_CHARS + _POSITION_CHARS or not token.isascii():
        raise malformed
    try:
        packed = base64.b64decode(token[:_PREFIX_CHARS], altchars=b"-_", validate=True)
        form, log_id, incarnation = _PREFIX.unpack(packed)  # padding makes it short
        position = int(token[_PREFIX_CHARS:], 16)
    except (ValueError, struct.error):
        raise malformed from None
    if not token[_PREFIX_CHARS:].isalnum():  # int() takes signs, blanks and underscores too
        raise malformed
    if form != _FORMAT:
        raise malformed
    return log_id, incarnation, position
