"""From the contract's messages to the engine's records: with every check of form.

A check raises InvalidRequest with the field's name as the contract spells it, and happens before
anything is done.
"""

from collections.abc import Callable, Mapping

import msgspec

from gesta.engine.engine import Engine
from gesta.engine.errors import EngineError, InvalidRequest
from gesta.engine.messages import ANONYMOUS, Accepted, Append, Check, Command, Envelope
from gesta.engine.ports import Randomness
from gesta.server.rpc.fields import (
    NAME_CHARS_MAX,
    check_id,
    check_reference,
    check_type,
    check_version,
    time_us,
)
from gesta.server.rpc.proposals import proposals
from gesta.server.rpc.tracing import well_formed
from gesta.server.rpc.waiting import after_projections
from gesta.v1 import command_service_pb2, event_service_pb2

REQUEST_BYTES_MAX = 2_097_152
"""Bytes of one request: an append of bytes_per_command_max, with room for names and ids. gRPC's own
limit stands at four times this, so that it is us who answer, with a reason."""
COMMANDS_PER_FRAME_MAX = 4_096
"""Commands in one frame or batch: one commit's worth."""

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
        waited_s: float = 0.0,
    ) -> Command:
        """An ExecuteRequest. `time_left_s` and `traceparent` are the call's own; both times are
        counted from its arrival, `waited_s` ago."""
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
        deadline = None
        if time_left_s is not None:
            deadline = self._engine.clock.monotonic() + time_left_s - waited_s
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
        events, fingerprint = proposals(request.events, self.metadata)
        envelope = Envelope(
            correlation_id=check_reference(request.correlation_id, "correlation_id"),
            causation_id=check_reference(request.causation_id, "causation_id"),
            traceparent=well_formed(request.traceparent, traceparent),
        )
        return Append(events, checks, self.command_id(request.command_id), fingerprint, envelope)

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
