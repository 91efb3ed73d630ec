"""When to ask again, and after how long.

A command is repeated only where that is safe: it was not done (TryLater), or nobody knows and its
command id makes the server answer instead of executing twice (outcome UNKNOWN). What the domain or
a condition refused is an answer, and is never repeated.
"""

import random
from dataclasses import dataclass

from grpc import StatusCode

from gesta.client.errors import (
    GestaError,
    InternalError,
    Outcome,
    OutcomeUnknown,
    TryLater,
    Unrecognised,
)

# RESOURCE_EXHAUSTED is not among them: without gesta's reason it is a size limit of gRPC's, which
# the same bytes meet again. Nor are the codes that say the call itself is wrong.
_PASSING_CODES = frozenset(
    {
        StatusCode.ABORTED,
        StatusCode.CANCELLED,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.INTERNAL,
        StatusCode.UNAVAILABLE,
        StatusCode.UNKNOWN,
    }
)


def may_pass(error: GestaError) -> bool:
    """Whether the same request may succeed later. Says nothing of whether repeating is safe."""
    if isinstance(error, Unrecognised):
        return error.code in _PASSING_CODES
    return isinstance(error, TryLater | OutcomeUnknown) or (
        isinstance(error, InternalError) and error.outcome is Outcome.UNKNOWN
    )


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how fast to ask again. A call's own `timeout_s` always ends it earlier."""

    attempts_max: int = 10
    """In all, the first included. Ten take about 9 s: a restart of the server passes unnoticed."""
    backoff_first_s: float = 0.05
    """Doubled with each attempt; drawn between half of it and all of it, so that callers that
    failed together do not come back together."""
    backoff_max_s: float = 2.0

    def backoff_s(self, attempt: int, draw: float | None = None) -> float:
        """How long to wait after attempt `attempt`, from 1; `draw`, in [0, 1), is for tests."""
        # The exponent is capped because a reconnecting subscription counts for ever.
        full = min(self.backoff_max_s, self.backoff_first_s * 2.0 ** min(attempt - 1, 30))
        return full * (0.5 + 0.5 * _drawn(draw))

    def delay_s(self, error: GestaError, attempt: int, draw: float | None = None) -> float | None:
        """How long to wait before asking again; None: do not.

        The server's advice is a floor, and the wait is spread over up to half as much again.
        """
        if attempt >= self.attempts_max or not may_pass(error):
            return None
        advised = error.retry_after_s if isinstance(error, TryLater) else 0.0
        return max(self.backoff_s(attempt, draw), advised * (1 + 0.5 * _drawn(draw)))


class RetryBudget:
    """Keeps retries a small part of the traffic, so that an overloaded server can recover.

    It holds tokens; a retry takes one, an answer gives back a part of one. A burst of `tokens_max`
    retries is allowed, and in the long run one for every `1 / earned_per_answer` answers.
    """

    def __init__(self, tokens_max: float, earned_per_answer: float = 0.1) -> None:
        self._tokens = self._tokens_max = tokens_max
        self._earned = earned_per_answer

    def answered(self, answers: int = 1) -> None:
        """Call on every answer that is no error, or with the number of several."""
        if self._tokens < self._tokens_max:
            self._tokens = min(self._tokens_max, self._tokens + answers * self._earned)

    def take(self) -> bool:
        """Whether a retry may be made; takes its token if so."""
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


def _drawn(draw: float | None) -> float:
    return random.random() if draw is None else draw  # noqa: S311  (spreads load, hides nothing)
