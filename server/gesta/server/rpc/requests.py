"""From the contract's messages to the engine's records: every check of form stands here.

A check raises InvalidRequest with the field's name as the contract spells it, and happens before
anything is done.
"""

import unicodedata
from collections.abc import Callable, Mapping
from hashlib import blake2b

import msgspec
from google.protobuf.timestamp_pb2 import Timestamp

from gesta.domain.names import RESERVED_TYPE
from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest
from gesta.engine.messages import ANONYMOUS, Accepted, Append, Check, Command, Envelope, Proposed
from gesta.engine.ports import Randomness
from gesta.server.rpc.tracing import well_formed
from gesta.server.rpc.waiting import after_projections
from gesta.v1 import command_service_pb2, event_service_pb2

TYPE_CHARS_MAX = 100
ID_BYTES_MAX = 255
NAME_CHARS_MAX = 100
REFERENCE_BYTES_MAX = 128
REQUEST_BYTES_MAX = 2_097_152
"""Bytes of one request: an append of bytes_per_command_max, with room for names and ids. gRPC's own
limit stands at four times this, so that it is us who answer, with a reason."""
COMMANDS_PER_FRAME_MAX = 4_096
"""Commands in one frame or batch: one commit's worth."""

_TIMESTAMP_SECONDS_MAX = 253_402_300_799  # the year 9999, where a Timestamp ends
_TIMESTAMP_SECONDS_MIN = -62_135_596_800  # the year 1, where it begins
_METADATA = msgspec.json.Encoder(order="sorted")


class Requests:
    """Translates requests for one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._limits = engine.limits
        self._randomness: Randomness = engine.randomness

    def command(
        self,
        request: command_service_pb2.ExecuteRequest,
        on_answer: Callable[[Accepted | EngineError], None],
        time_left_s: float | None,
        traceparent: str,
    ) -> Command:
        """An ExecuteRequest. `time_left_s` and `traceparent` are the call's own."""
        if request.aggregate_type not in self._engine.catalog.types:
            check_type(request.aggregate_type, "aggregate_type")
        check_id(request.aggregate_id, "aggregate_id")
        if not 0 < len(request.command) <= NAME_CHARS_MAX:
            raise InvalidRequest("command", f"must have 1 to {NAME_CHARS_MAX} characters")
        expected = must_exist = None
        if request.HasField("expected_version"):
            expected = check_version(request.expected_version, "expected_version")
        elif request.HasField("must_exist"):
            must_exist = request.must_exist
        if request.HasField("timeout"):
            timeout = request.timeout.seconds + request.timeout.nanos / 1e9
            if timeout <= 0:
                raise InvalidRequest("timeout", "must be greater than 0")
            time_left_s = timeout if time_left_s is None else min(timeout, time_left_s)
        deadline = None if time_left_s is None else self._engine.clock.monotonic() + time_left_s
        if request.wait_for:
            on_answer = after_projections(self._engine, request, on_answer, deadline)
        return Command(
            request.aggregate_type,
            request.aggregate_id,
            request.command,
            request.arguments or b"{}",
            self.command_id(request.command_id),
            on_answer,
            expected,
            must_exist,
            deadline,
            self._envelope(request, traceparent),
        )

    def append(self, request: event_service_pb2.AppendEventsRequest, traceparent: str) -> Append:
        """An AppendEventsRequest."""
        if not request.events:
            raise InvalidRequest("events", "must not be empty")
        checks = [self._check(check, f"checks[{i}]") for i, check in enumerate(request.checks)]
        events = [self._proposed(event, f"events[{i}]") for i, event in enumerate(request.events)]
        envelope = Envelope(
            correlation_id=check_reference(request.correlation_id, "correlation_id"),
            causation_id=check_reference(request.causation_id, "causation_id"),
            traceparent=well_formed(request.traceparent, traceparent),
        )
        return Append(
            events, checks, self.command_id(request.command_id), _fingerprint(events), envelope
        )

    def command_id(self, given: bytes) -> bytes:
        """The caller's id, or one of our own: time-ordered, as the caller's should be."""
        if not given:
            now_ms = self._engine.clock.now_us() // 1_000
            chance = int.from_bytes(self._randomness.bytes(10), "big")
            tail = 7 << 76 | (chance >> 64 & 0xFFF) << 64 | 2 << 62 | chance & ((1 << 62) - 1)
            return (now_ms << 80 | tail).to_bytes(16, "big")
        if len(given) != 16:
            raise InvalidRequest("command_id", "must have 16 bytes, a UUID")
        return given

    def metadata(self, given: Mapping[str, str], field: str) -> bytes | None:
        """Metadata as the log keeps it: a JSON object with sorted keys."""
        if not given:
            return None
        encoded = _METADATA.encode(dict(given))
        if len(encoded) > self._limits.metadata_bytes_max:
            raise InvalidRequest(
                field, f"takes {len(encoded)} bytes; at most {self._limits.metadata_bytes_max}"
            )
        return encoded

    def _envelope(self, request: command_service_pb2.ExecuteRequest, traceparent: str) -> Envelope:
        occurred = request.HasField("occurred_at")
        if not (
            request.traceparent
            or traceparent
            or occurred
            or request.metadata
            or request.correlation_id
            or request.causation_id
        ):
            return ANONYMOUS
        return Envelope(
            correlation_id=check_reference(request.correlation_id, "correlation_id"),
            causation_id=check_reference(request.causation_id, "causation_id"),
            traceparent=well_formed(request.traceparent, traceparent),
            occurred_at_us=time_us(request.occurred_at, "occurred_at") if occurred else None,
            metadata=self.metadata(request.metadata, "metadata"),
        )

    def _check(self, check: event_service_pb2.StreamCheck, field: str) -> Check:
        check_type(check.aggregate_type, f"{field}.aggregate_type")
        check_id(check.aggregate_id, f"{field}.aggregate_id")
        expected = must_exist = None
        match check.WhichOneof("condition"):
            case "expected_version":
                expected = check_version(check.expected_version, f"{field}.expected_version")
            case "must_exist":
                must_exist = check.must_exist
            case _:
                raise InvalidRequest(f"{field}.condition", "must be set")
        return Check(check.aggregate_type, check.aggregate_id, expected, must_exist)

    def _proposed(self, event: event_service_pb2.NewEvent, field: str) -> Proposed:
        check_type(event.aggregate_type, f"{field}.aggregate_type")
        if event.aggregate_type == RESERVED_TYPE:
            raise InvalidRequest(f"{field}.aggregate_type", "is the server's own name")
        check_id(event.aggregate_id, f"{field}.aggregate_id")
        check_type(event.event_type, f"{field}.event_type")
        if not 0 <= event.schema_version <= 1_000_000:
            raise InvalidRequest(f"{field}.schema_version", "must be 1 to 1,000,000")
        check_object(event.data, f"{field}.data")
        occurred = event.HasField("occurred_at")
        return Proposed(
            event.aggregate_type,
            event.aggregate_id,
            event.event_type,
            event.schema_version or 1,
            event.data,
            time_us(event.occurred_at, f"{field}.occurred_at") if occurred else None,
            self.metadata(event.metadata, f"{field}.metadata"),
        )


def check_type(text: str, field: str) -> str:
    """A name: of an aggregate or event type."""
    if not 0 < len(text) <= TYPE_CHARS_MAX:
        raise InvalidRequest(field, f"must have 1 to {TYPE_CHARS_MAX} characters")
    return _check_characters(text, field)


def check_id(text: str, field: str) -> str:
    """An aggregate's id."""
    if not 0 < len(text) <= ID_BYTES_MAX or len(text.encode()) > ID_BYTES_MAX:
        raise InvalidRequest(field, f"must have 1 to {ID_BYTES_MAX} bytes of UTF-8")
    return _check_characters(text, field)


def check_reference(text: str, field: str) -> str | None:
    """An optional id of something else; None for the empty string."""
    if not text:
        return None
    if len(text.encode()) > REFERENCE_BYTES_MAX:
        raise InvalidRequest(field, f"must have at most {REFERENCE_BYTES_MAX} bytes")
    return _check_characters(text, field)


def check_version(version: int, field: str) -> int:
    """An expected version."""
    if version < 0:
        raise InvalidRequest(field, "must not be negative")
    return version


def check_object(data: bytes, field: str) -> None:
    """A payload: a JSON object in UTF-8, which nothing later will look into again."""
    try:
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(field, f"must be a JSON object: {error}") from None


def time_us(timestamp: Timestamp, field: str) -> int:
    """A Timestamp as microseconds since 1970; what is finer is cut off."""
    if not (
        _TIMESTAMP_SECONDS_MIN <= timestamp.seconds <= _TIMESTAMP_SECONDS_MAX
        and 0 <= timestamp.nanos < 1_000_000_000
    ):
        raise InvalidRequest(field, "is not a time between the years 1 and 9999")
    return timestamp.seconds * 1_000_000 + timestamp.nanos // 1_000


def _check_characters(text: str, field: str) -> str:
    if text.isascii():
        fine = text.isprintable()
    else:
        fine = not any(unicodedata.category(character) == "Cc" for character in text)
    if not fine:
        raise InvalidRequest(field, "must not contain control characters")
    return text


def _fingerprint(events: list[Proposed]) -> bytes:
    """What an append says, without what may differ between two attempts: checks and envelope."""
    digest = blake2b(digest_size=16)
    for event in events:
        for part in (event.aggregate_type, event.aggregate_id, event.event_type):
            digest.update(part.encode() + b"\0")
        digest.update(b"%d %d " % (event.schema_version, len(event.data)))
        digest.update(event.data)
    return digest.digest()
