"""What a result counts for is what it takes, at least."""

import pytest

from gesta.engine import errors
from gesta.engine.errors import EngineError
from gesta.engine.messages import Accepted
from gesta.server.rpc.results import RESULT_BYTES, encode_answer, result_bytes

MANY = (1 << 63) - 1
TOKEN = "t" * 60

DONE = Accepted(MANY, MANY, 1_000, b"", bytes(16), replayed=True)
ANSWERS: list[Accepted | EngineError] = [
    DONE,
    DONE._replace(reply=b"x" * 262_144),
    DONE._replace(pending=("p" * 100,) * 32),
    DONE._replace(pending=("ü" * 100,)),
    errors.InvalidRequest("field" * 20, "detail" * 50),
    errors.VersionConflict("T" * 100, "a" * 255, MANY, MANY),
    errors.Refused("Type", "A_REASON", "message", {"key" * 10: "value" * 20, "other": "x" * 900}),
    errors.Overloaded("bytes_unread_max"),
    errors.LimitExceeded("answer_bytes_max", 8_388_608),
    errors.OutcomeUnknown(),
    errors.Draining(),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda each: type(each).__name__)
def test_no_result_takes_more_bytes_than_it_counts_for(answer: Accepted | EngineError) -> None:
    encoded = encode_answer(1 << 40, 2, answer, lambda position: TOKEN)
    assert len(encoded) <= result_bytes(answer)


def test_a_small_result_counts_for_what_a_window_is_made_of() -> None:
    assert result_bytes(DONE) == RESULT_BYTES
