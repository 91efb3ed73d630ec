"""Answers as results, of a batch or of a stream: their bytes, and how many they count for."""

from collections.abc import Callable
from functools import lru_cache

from gesta.engine.errors import EngineError, Overloaded, Refused
from gesta.engine.messages import Accepted
from gesta.server.status import status_of
from gesta.server.wire import encode_response, encode_result, message_field

RESULT_BYTES = 256
"""What a result takes beside its reply or its texts, in memory or on the wire."""

_TIMES_A_TEXT_IS_TOLD = 3
"""In the message of a status, in its metadata, and in the violation of a field."""


def result_bytes(answer: Accepted | EngineError) -> int:
    """What the answer counts for, RESULT_BYTES at least, until its client has it."""
    if isinstance(answer, Accepted):
        names = sum(map(len, answer.pending)) if answer.pending else 0
        return RESULT_BYTES + len(answer.reply) + names
    details = answer.details.items() if isinstance(answer, Refused) else ()
    texts = len(str(answer)) + sum(len(name) + len(text) for name, text in details)
    return RESULT_BYTES + _TIMES_A_TEXT_IS_TOLD * texts


@lru_cache(maxsize=64)
def _overloaded(what: str, retry_after_ms: int) -> bytes:
    """A field with the status. A server that refuses much must do so at little cost."""
    return message_field(3, status_of(Overloaded(what, retry_after_ms)).SerializeToString())


def encode_answer(
    number: int, field: int, answer: Accepted | EngineError, mint: Callable[[int], str]
) -> bytes:
    """An ExecuteResult, as an element of field `field`; `mint` makes a position's token."""
    if isinstance(answer, Accepted):
        body = message_field(2, encode_response(answer, mint(answer.position)))
    elif isinstance(answer, Overloaded):
        body = _overloaded(answer.what, answer.retry_after_ms)
    else:
        body = message_field(3, status_of(answer).SerializeToString())
    return encode_result(number, field, body)
