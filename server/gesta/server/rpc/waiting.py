"""Waiting for projections: what a caller asks for, and the answer to a command that waits."""

from collections.abc import Callable, Iterable

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest
from gesta.engine.messages import Accepted
from gesta.v1.command_service_pb2 import ExecuteRequest

NAME_BYTES_MAX = 255
"""Bytes of a projection's name: as of an aggregate's id."""
NAMES_MAX = 16
"""Projections that one wait may name: a screen rests on a few."""
_WAY_BACK_S = 0.5
"""Kept of a deadline for the answer's way back, but half of it at most: a caller whose time is up
first would not hear that its command is committed."""

_OnAnswer = Callable[[Accepted | EngineError], None]


def projection_names(names: Iterable[str], field: str) -> tuple[str, ...]:
    """The names, each once. Raises InvalidRequest."""
    found = tuple(dict.fromkeys(names))
    if not 0 < len(found) <= NAMES_MAX:
        raise InvalidRequest(field, f"must have 1 to {NAMES_MAX} names")
    for name in found:
        check_projection(name, field)
    return found


def check_projection(name: str, field: str) -> None:
    """A projection's name. Raises InvalidRequest."""
    if not 0 < len(name.encode()) <= NAME_BYTES_MAX:
        raise InvalidRequest(field, f"must have 1 to {NAME_BYTES_MAX} bytes of UTF-8")
    if not name.isprintable():
        raise InvalidRequest(field, "must not contain control characters")


def wait_seconds(engine: Engine, timeout_ms: int | None, field: str) -> float:
    """How long to wait where nothing ends it earlier. Raises InvalidRequest."""
    if timeout_ms is None:
        return engine.limits.projection_wait_ms_default / 1_000
    if timeout_ms < 0:
        raise InvalidRequest(field, "must not be negative")
    return min(timeout_ms, engine.limits.projection_wait_ms_max) / 1_000


def in_time(seconds: float, left_s: float | None) -> float:
    """The same, ended so early that the answer arrives before the deadline."""
    if left_s is None:
        return seconds
    return min(seconds, left_s - min(_WAY_BACK_S, left_s / 2))


def after_projections(
    engine: Engine, request: ExecuteRequest, on_answer: _OnAnswer, deadline: float | None
) -> _OnAnswer:
    """Hears the answer to a command, and passes it on when its projections are there or late.

    Any other answer, a refusal say, is passed on at once. `deadline` is the command's, by
    Clock.monotonic. Raises InvalidRequest.
    """
    names = projection_names(request.wait_for, "wait_for")
    timeout_ms = request.wait_timeout_ms if request.HasField("wait_timeout_ms") else None
    seconds = wait_seconds(engine, timeout_ms, "wait_timeout_ms")

    def answered(answer: Accepted | EngineError) -> None:
        if isinstance(answer, EngineError):
            on_answer(answer)
            return
        left_s = None if deadline is None else deadline - engine.clock.monotonic()
        engine.projections.wait(
            names,
            answer.position,
            in_time(seconds, left_s),
            lambda pending: on_answer(answer._replace(pending=pending)),
            size=len(answer.reply),
        )

    return answered
