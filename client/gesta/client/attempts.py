"""One request and its attempts: when to stop, and what is known by then."""

import asyncio
from uuid import UUID

import grpc

from gesta.client.errors import (
    AggregateExists,
    AggregateNotFound,
    ClientClosed,
    CommandIdReused,
    DeadlineExceeded,
    GestaError,
    Outcome,
    OutcomeUnknown,
    Refused,
    Unrecognised,
    VersionConflict,
)
from gesta.client.retry import RetryBudget, RetryPolicy

SETTLING = (VersionConflict, AggregateExists, AggregateNotFound, Refused, CommandIdReused)
"""What the server says of a command only after it has looked its id up, and found no answer of an
earlier attempt. It remembers these for the id, so an attempt that comes late is told the same."""


class Attempts:
    """Slotted, for one is made per command. `command_id` is None for what writes nothing."""

    __slots__ = ("_budget", "command_id", "count", "deadline", "in_doubt", "policy")

    def __init__(
        self, policy: RetryPolicy, budget: RetryBudget, deadline: float, command_id: bytes | None
    ) -> None:
        self.policy = policy
        self._budget = budget
        self.deadline = deadline
        """By the loop's clock."""
        self.command_id = command_id
        self.count = 0
        """Attempts that failed."""
        self.in_doubt = False
        """An attempt was sent and never answered. It may still be executed: bytes of a stream that
        broke can be waiting at the server. Only an acceptance or one of SETTLING settles it."""

    def another(self, hopeless: bool) -> bool:
        """Counts a failed attempt; whether one more may be made. `hopeless`: it would fail too."""
        self.count = self.policy.attempts_max if hopeless else self.count + 1
        return self.count < self.policy.attempts_max

    def delay_s(self, error: GestaError) -> float | None:
        """Counts an attempt that ended with `error`: how long to wait before the next one. None:
        that was the last, and the caller is to see `final(error)`."""
        self.count += 1
        if error.outcome is Outcome.UNKNOWN and self.command_id is not None:
            self.in_doubt = True
        delay_s = self.policy.delay_s(error, self.count)
        if delay_s is None or asyncio.get_running_loop().time() + delay_s >= self.deadline:
            return None
        return delay_s if self._budget.take() else None

    def final(self, error: GestaError) -> GestaError:
        """What the caller is to see where `error` ends the last attempt: OutcomeUnknown for one
        that speaks of this attempt alone while an earlier one is in doubt."""
        final = self._final(error)
        if final is not error:
            final.__cause__ = error
        return final

    def out_of_time(self, sent: bool) -> GestaError:
        """What is known when the deadline passes; `sent` says whether an attempt is under way."""
        if self.command_id is not None and (sent or self.in_doubt):
            return self.unknown("no answer came in time")
        return DeadlineExceeded("there was no answer in time, and nothing was written")

    def closed(self, sent: bool) -> GestaError:
        """What is known when the client is closed; `sent` as above."""
        unknown = sent and self.command_id is not None
        outcome = Outcome.UNKNOWN if unknown else Outcome.NOT_DONE
        error = ClientClosed("the client was closed before the answer came", outcome=outcome)
        return self.final(error)

    def unknown(self, message: str) -> OutcomeUnknown:
        """The outcome of an attempt that will get no answer."""
        command_id = None if self.command_id is None else UUID(bytes=self.command_id)
        return OutcomeUnknown(
            f"{message}; ask again with command id {command_id}", command_id=command_id
        )

    def _final(self, error: GestaError) -> GestaError:
        if isinstance(error, OutcomeUnknown) and error.command_id is None and self.command_id:
            error.command_id = UUID(bytes=self.command_id)
        if isinstance(error, Unrecognised) and error.code is grpc.StatusCode.DEADLINE_EXCEEDED:
            return self.out_of_time(sent=True)
        if self.in_doubt and error.outcome is Outcome.NOT_DONE and not isinstance(error, SETTLING):
            return self.unknown(f"an earlier attempt was not answered, and then: {error}")
        return error
