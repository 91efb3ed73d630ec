"""The answers to one BatchExecute, together no larger than an answer may be."""

import asyncio
from collections.abc import Callable

from gesta.engine.errors import EngineError, LimitExceeded, Outcome
from gesta.engine.messages import Accepted
from gesta.server.rpc.guard import ANSWER_BYTES_MAX
from gesta.server.rpc.results import RESULT_BYTES, encode_answer, result_bytes

_Answer = Accepted | EngineError


class Batch:
    """Waits for `count` answers. When the caller goes, the commands go on.

    A command whose reply finds no room any more is done, and its result says LIMIT_EXCEEDED with
    the outcome UNKNOWN: asked again by its command id, it gives the reply.
    """

    def __init__(self, count: int) -> None:
        self._answers: list[_Answer | None] = [None] * count
        self._unanswered = count
        self._room = ANSWER_BYTES_MAX - count * RESULT_BYTES
        """Bytes that are left for replies and texts."""
        self._all = asyncio.get_running_loop().create_future()
        if not count:
            self._all.set_result(None)

    def waiter(self, index: int) -> Callable[[_Answer], None]:
        """Takes the answer to the command at that index, counted from 0; to be called once."""

        def resolve(answer: _Answer) -> None:
            self._answers[index] = self._fitted(answer)
            self._unanswered -= 1
            if not self._unanswered and not self._all.done():
                self._all.set_result(None)

        return resolve

    async def encoded(self, mint: Callable[[int], str]) -> bytes:
        """A BatchExecuteResponse, once everything is answered."""
        await self._all
        results = [
            encode_answer(number, 1, answer, mint)
            for number, answer in enumerate(self._answers, 1)
            if answer is not None
        ]
        return b"".join(results)

    def _fitted(self, answer: _Answer) -> _Answer:
        size = result_bytes(answer) - RESULT_BYTES
        if size <= self._room:
            self._room -= size
            return answer
        outcome = Outcome.UNKNOWN if isinstance(answer, Accepted) else answer.outcome
        return LimitExceeded("answer_bytes_max", ANSWER_BYTES_MAX, outcome)
