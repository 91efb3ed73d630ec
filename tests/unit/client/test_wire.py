"""What is written by hand, held against the generated classes."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from gesta.client.times import to_duration, to_timestamp
from gesta.client.wire import END, encode_command, encode_details, encode_timeout, frame_part
from gesta.v1.command_service_pb2 import ExecuteRequest, ExecuteStreamRequest

KEY = UUID(int=5).bytes
HAPPENED = datetime(2020, 2, 29, 12, 0, 0, 123_456, UTC)

ASKED: list[tuple[str, str, str, bytes]] = [
    ("T", "a", "c", b""),
    ("BankAccount", "acc-17", "deposit", b'{"amount":5}'),
    ("Zürich", "ключ-1", "öffnen", b"\x00\xff"),
    ("T", "i" * 127, "c", b"x" * 128),
    ("T", "i" * 255, "c", b"x" * 20_000),
    ("", "", "", b""),
]

DETAILS: list[dict[str, Any]] = [
    {},
    {"expected_version": 0},
    {"expected_version": 2**40},
    {"must_exist": False},
    {"must_exist": True},
    {"correlation_id": "order-1", "causation_id": "event-3", "traceparent": "00-4b-00-01"},
    {"occurred_at": HAPPENED, "metadata": {"user_id": "u-1", "": ""}},
]


def details(given: dict[str, Any]) -> bytes:
    names = encode_details.__annotations__
    return encode_details(*(given.get(name) for name in names if name != "return"))


@pytest.mark.parametrize("given", DETAILS)
@pytest.mark.parametrize(("aggregate_type", "aggregate_id", "command", "arguments"), ASKED)
def test_a_command_is_what_the_generated_class_would_have_made_of_it(
    aggregate_type: str, aggregate_id: str, command: str, arguments: bytes, given: dict[str, Any]
) -> None:
    expected = ExecuteRequest(
        aggregate_type=aggregate_type,
        aggregate_id=aggregate_id,
        command=command,
        arguments=arguments,
        command_id=KEY,
        timeout=to_duration(1.25),
    )
    for name, value in given.items():
        if name == "occurred_at":
            expected.occurred_at.CopyFrom(to_timestamp(value))
        elif name == "metadata":
            expected.metadata.update(value)
        else:
            setattr(expected, name, value)
    encoded = encode_command(
        aggregate_type, aggregate_id, command, arguments, KEY, details(given)
    ) + encode_timeout(1.25)
    assert ExecuteRequest.FromString(encoded) == expected


def test_parts_in_a_row_are_a_frame() -> None:
    commands = [encode_command(*asked, KEY, b"") for asked in ASKED]
    frame = b"".join(frame_part(command, encode_timeout(30.0)) for command in commands)
    expected = [ExecuteRequest.FromString(each + encode_timeout(30.0)) for each in commands]
    assert list(ExecuteStreamRequest.FromString(frame).commands) == expected


def test_the_last_frame_says_so() -> None:
    assert ExecuteStreamRequest.FromString(END) == ExecuteStreamRequest(end=True)


def test_two_conditions_at_once_are_refused() -> None:
    with pytest.raises(ValueError, match="not both"):
        details({"expected_version": 1, "must_exist": True})


@pytest.mark.parametrize("wrong", [7, None, b"a"])
def test_an_id_that_is_no_text_is_refused(wrong: Any) -> None:
    with pytest.raises(TypeError):
        encode_command("T", wrong, "c", b"", KEY, b"")
