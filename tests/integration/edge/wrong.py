"""Bad commands and appends: what is wrong with each, and the field that must be named."""

from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from tests.integration.edge.caller import command_for

from gesta.v1.command_service_pb2 import ExecuteRequest
from gesta.v1.event_service_pb2 import AppendEventsRequest, NewEvent, StreamCheck

DEEP = b'{"x":' * 100_000 + b"1" + b"}" * 100_000
WIDE_ID = "é" * 128  # 256 bytes in 128 characters
FUTURE_V7 = b"\xff" * 6 + b"\x70" + bytes(1) + b"\x80" + bytes(7)

COMMANDS: list[tuple[str, ExecuteRequest, str]] = [
    ("no type", command_for("a", "add", aggregate_type=""), "aggregate_type"),
    ("a long type", command_for("a", "add", aggregate_type="T" * 101), "aggregate_type"),
    ("a bell in the type", command_for("a", "add", aggregate_type="T\a"), "aggregate_type"),
    ("no id", command_for("", "add"), "aggregate_id"),
    ("a 300-byte id", command_for("a" * 300, "add"), "aggregate_id"),
    ("an id of few characters and many bytes", command_for(WIDE_ID, "add"), "aggregate_id"),
    ("a NUL in the id", command_for("a\0b", "add"), "aggregate_id"),
    ("a newline in the id", command_for("a\nb", "add"), "aggregate_id"),
    ("a C1 control in the id", command_for("a\u0085b", "add"), "aggregate_id"),
    ("no command", command_for("a", ""), "command"),
    ("a long command", command_for("a", "c" * 101), "command"),
    ("not JSON", command_for("a", "add", b"{amount: 1}"), "arguments"),
    ("cut-off JSON", command_for("a", "add", b'{"amount": 1'), "arguments"),
    ("JSON that is not UTF-8", command_for("a", "add", b'{"amount":1,"note":"\xff"}'), "arguments"),
    ("JSON and more", command_for("a", "add", b'{"amount":1} {"amount":2}'), "arguments"),
    ("an array", command_for("a", "add", b"[1]"), "arguments"),
    ("null", command_for("a", "add", b"null"), "arguments"),
    ("a missing argument", command_for("a", "add", b"{}"), "arguments.amount"),
    ("an extra argument", command_for("a", "add", {"amount": 1, "of": 2}), "arguments.of"),
    ("a string for a number", command_for("a", "add", {"amount": "1"}), "arguments.amount"),
    ("a fraction for an integer", command_for("a", "add", {"amount": 1.5}), "arguments.amount"),
    ("null for a number", command_for("a", "add", {"amount": None}), "arguments.amount"),
    ("true for a number", command_for("a", "add", {"amount": True}), "arguments.amount"),
    ("a number for a string", command_for("a", "add", {"amount": 1, "note": 2}), "arguments.note"),
    ("2**63", command_for("a", "add", {"amount": 2**63}), "arguments.amount"),
    ("-2**63 - 1", command_for("a", "add", b'{"amount":-9223372036854775809}'), "arguments.amount"),
    ("1e400 for an integer", command_for("a", "add", b'{"amount":1e400}'), "arguments"),
    ("NaN", command_for("a", "weigh", b'{"grams":NaN}'), "arguments"),
    ("Infinity", command_for("a", "weigh", b'{"grams":-Infinity}'), "arguments"),
    ("1e400", command_for("a", "weigh", b'{"grams":1e400}'), "arguments"),
    (
        "a string inside",
        command_for("a", "sort", b'{"boxes":{"x":[1,"2"]}}'),
        "arguments.boxes[...][1]",
    ),
    ("100,000 levels of JSON", command_for("a", "add", DEEP), "arguments"),
    (
        "a negative expected version",
        command_for("a", "add", expected_version=-1),
        "expected_version",
    ),
    ("a 15-byte command id", command_for("a", "add", command_id=bytes(15)), "command_id"),
    ("a command id as text", command_for("a", "add", command_id=b"%036d" % 0), "command_id"),
    ("a command id of next year", command_for("a", "add", command_id=FUTURE_V7), "command_id"),
    ("129 bytes", command_for("a", "add", correlation_id="é" * 65), "correlation_id"),
    ("a tab", command_for("a", "add", causation_id="a\tb"), "causation_id"),
    ("20 KB of metadata", command_for("a", "add", metadata={"k": "v" * 20_000}), "metadata"),
    ("no time at all", command_for("a", "add", timeout=Duration()), "timeout"),
    ("negative time", command_for("a", "add", timeout=Duration(seconds=-1)), "timeout"),
    (
        "a time after the year 9999",
        command_for("a", "add", occurred_at=Timestamp(seconds=1 << 60)),
        "occurred_at",
    ),
    (
        "more nanoseconds than a second has",
        command_for("a", "add", occurred_at=Timestamp(nanos=1_000_000_000)),
        "occurred_at",
    ),
]
_NEW: dict[str, Any] = {
    "aggregate_type": "Tally",
    "aggregate_id": "a",
    "event_type": "Added",
    "data": b'{"amount":1}',
}
_GOOD = NewEvent(**_NEW)


def _new(**changes: Any) -> AppendEventsRequest:
    """A good event, and then one that is not."""
    return AppendEventsRequest(events=[_GOOD, NewEvent(**(_NEW | changes))])


def _checked(**check: Any) -> AppendEventsRequest:
    return AppendEventsRequest(events=[_GOOD], checks=[StreamCheck(**check)])


APPENDS: list[tuple[str, AppendEventsRequest, str]] = [
    ("nothing", AppendEventsRequest(), "events"),
    ("no type", _new(aggregate_type=""), "events[1].aggregate_type"),
    ("a 300-byte id", _new(aggregate_id="a" * 300), "events[1].aggregate_id"),
    ("the server's own name", _new(aggregate_type="gesta"), "events[1].aggregate_type"),
    ("no event type", _new(event_type=""), "events[1].event_type"),
    ("an event the type does not have", _new(event_type="Lined"), "events[1].event_type"),
    ("a schema version to come", _new(schema_version=2), "events[1].event_type"),
    ("a negative schema version", _new(schema_version=-1), "events[1].schema_version"),
    ("no data", _new(data=b""), "events[1].data"),
    ("data that is not JSON", _new(data=b"{"), "events[1].data"),
    ("data that is an array", _new(data=b"[]"), "events[1].data"),
    ("data with NaN", _new(data=b'{"amount":NaN}'), "events[1].data"),
    ("data that is not UTF-8", _new(data=b'{"amount":1,"note":"\xff"}'), "events[1].data"),
    ("data in 100,000 levels", _new(data=DEEP[:200_000]), "events[1].data"),
    ("data without a field", _new(data=b"{}"), "events[1].data"),
    ("data with a wrong field", _new(data=b'{"amount":"1"}'), "events[1].data"),
    ("20 KB of metadata", _new(metadata={"k": "v" * 20_000}), "events[1].metadata"),
    (
        "a check of nothing",
        _checked(aggregate_type="Tally", aggregate_id="a"),
        "checks[0].condition",
    ),
    (
        "a check without an id",
        _checked(aggregate_type="Tally", must_exist=True),
        "checks[0].aggregate_id",
    ),
    (
        "a check of a negative version",
        _checked(aggregate_type="Tally", aggregate_id="a", expected_version=-1),
        "checks[0].expected_version",
    ),
]
