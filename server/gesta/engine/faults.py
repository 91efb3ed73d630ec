"""Errors that are somebody's bug: the server's log gets all of it, the caller an error id only."""

import logging
import secrets

from gesta.engine.errors import HandlerBroken, InternalError, Outcome, UnreadableEvent

_LOG = logging.getLogger("gesta.engine")


def handler_broken(where: str, cause: BaseException) -> HandlerBroken:
    """A bug in an aggregate's code, met at `where`."""
    error_id = _error_id()
    _LOG.error("[%s] the code of %s failed", error_id, where, exc_info=cause)
    return HandlerBroken(error_id)


def unreadable(where: str, position: int, cause: BaseException) -> UnreadableEvent:
    """An event that is stored and that the code of today cannot read."""
    error_id = _error_id()
    _LOG.error(
        "[%s] %s cannot be loaded: event at position %d", error_id, where, position, exc_info=cause
    )
    return UnreadableEvent(error_id, position)


def internal(where: str, cause: BaseException, outcome: Outcome) -> InternalError:
    """A bug in gesta."""
    error_id = _error_id()
    _LOG.error("[%s] %s failed", error_id, where, exc_info=cause)
    return InternalError(error_id, outcome)


def _error_id() -> str:
    return secrets.token_hex(6)
