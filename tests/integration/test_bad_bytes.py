"""Bytes that are no request at all: malformed, too large, or for nobody.

gesta answers while it can, with a reason; beyond that gRPC does, with a code.
"""

from collections.abc import AsyncIterator

import grpc
import pytest
from grpc import StatusCode
from tests.integration.edge.caller import TIMEOUT_S, Caller, command_for
from tests.integration.edge.hosting import serving
from tests.integration.edge.refusal import all_of, failed, refused

from gesta.v1.command_service_pb2 import BatchExecuteRequest, ExecuteRequest

UnaryCall = grpc.aio.UnaryUnaryMultiCallable[bytes, bytes]
ServerStreamCall = grpc.aio.UnaryStreamMultiCallable[bytes, bytes]
BidiStreamCall = grpc.aio.StreamStreamMultiCallable[bytes, bytes]

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

UNARY = [
    "CommandService/Execute",
    "CommandService/BatchExecute",
    "EventService/AppendEvents",
    "AggregateService/GetAggregate",
    "AggregateService/QueryAggregate",
    "AggregateService/ListAggregates",
    "AggregateService/DescribeAggregateTypes",
    "ServerService/GetServerInfo",
]
SERVER_STREAMS = ["EventService/ReadEvents", "EventService/Subscribe"]

# None of them parses as any of the requests.
MALFORMED = {
    "cut off": b"\x0a\x7f",
    "a wire type that does not exist": b"\x0f\x01",
    "field number 0": b"\x00\x01",
    "an endless varint": b"\x08" + b"\xff" * 12,
    "noise": bytes(range(255, 0, -1)),
    "a group that is never closed": b"\x0b" * 200,
}


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with serving() as caller:
        await caller.execute("a", "add", {"amount": 1})
        yield caller


async def _unary(caller: Caller, method: str, request: bytes) -> bytes:
    call: UnaryCall = caller.channel.unary_unary(f"/gesta.v1.{method}")
    return await call(request, timeout=TIMEOUT_S)


async def _server_stream(caller: Caller, method: str, request: bytes) -> list[bytes]:
    call: ServerStreamCall = caller.channel.unary_stream(f"/gesta.v1.{method}")
    return await all_of(call(request, timeout=TIMEOUT_S))


async def _bidi_stream(caller: Caller, *frames: bytes) -> list[bytes]:
    call: BidiStreamCall = caller.channel.stream_stream("/gesta.v1.CommandService/ExecuteStream")
    return await all_of(call(iter(frames), timeout=TIMEOUT_S))


async def test_malformed_protobuf_is_an_invalid_request_on_every_method(caller: Caller) -> None:
    for what, data in MALFORMED.items():
        calls = [_unary(caller, method, data) for method in UNARY]
        calls_of_streams = [_server_stream(caller, method, data) for method in SERVER_STREAMS]
        for call in (*calls, *calls_of_streams, _bidi_stream(caller, data)):
            problem = await refused(caller, call)
            assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"), what
            assert "bytes are not a" in problem.message


async def test_text_that_is_not_utf8_is_an_invalid_request(caller: Caller) -> None:
    request = command_for("IDENT", "add", {"amount": 1}).SerializeToString()
    for text in (
        b"\xff\xfe\xfd\xfc\xfb",
        b"abc\xc3\x28",
        b"\xed\xa0\x80ab",
        b"\xf8\x88\x80\x80\x80",
    ):
        data = request.replace(b"IDENT", text)
        problem = await refused(caller, _unary(caller, "CommandService/Execute", data))
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")


async def test_fields_of_a_later_contract_are_ignored(caller: Caller) -> None:
    request = command_for("a", "add", {"amount": 1}).SerializeToString() + b"\xc2\x3e\x03new"
    assert await _unary(caller, "CommandService/Execute", request)
    assert await caller.head() == 2


async def test_a_request_of_five_megabytes_is_answered_with_a_reason(caller: Caller) -> None:
    large = ExecuteRequest(arguments=bytes(5 << 20)).SerializeToString()
    calls = [_unary(caller, method, large) for method in UNARY]
    calls_of_streams = [_server_stream(caller, method, large) for method in SERVER_STREAMS]
    for call in (*calls, *calls_of_streams, _bidi_stream(caller, large)):
        problem = await refused(caller, call)
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert "at most 2097152" in problem.message


async def test_a_request_of_ten_megabytes_is_answered_by_grpc_alone(caller: Caller) -> None:
    large = ExecuteRequest(arguments=bytes(10 << 20)).SerializeToString()
    for call in (
        _unary(caller, "CommandService/Execute", large),
        _server_stream(caller, "EventService/Subscribe", large),
        _bidi_stream(caller, large),
    ):
        problem = await failed(call)
        assert (problem.code, problem.reason) == (StatusCode.RESOURCE_EXHAUSTED, "")
    assert await caller.head() == 1


async def test_more_commands_than_a_frame_takes_are_refused_together(caller: Caller) -> None:
    many = [command_for("a", "add", {"amount": 1})] * 4_097
    batch = BatchExecuteRequest(commands=many)
    problem = await refused(caller, caller.commands.BatchExecute(batch, timeout=TIMEOUT_S))
    assert (problem.reason, problem.field) == ("INVALID_REQUEST", "commands")


async def test_twenty_kilobytes_of_grpc_metadata_never_reach_a_command(caller: Caller) -> None:
    call = caller.commands.Execute(
        command_for("a", "add", {"amount": 1}), metadata=[("x-large", "v" * 40_000)]
    )
    assert (await failed(call)).code == StatusCode.RESOURCE_EXHAUSTED
    assert await caller.head() == 1


@pytest.mark.parametrize("given", ["0" * 129, "x", TRACE + "-"])
async def test_a_traceparent_of_the_call_that_makes_no_sense_is_passed_over(
    caller: Caller, given: str
) -> None:
    await caller.commands.Execute(
        command_for("a", "add", {"amount": 1}),
        metadata=[("traceparent", given)],
        timeout=TIMEOUT_S,
    )
    assert (await caller.read())[-1].traceparent == ""


async def test_a_method_that_nobody_serves_is_unimplemented(caller: Caller) -> None:
    for method in ("CommandService/Fly", "TimeService/Now", "CommandService/"):
        problem = await failed(_unary(caller, method, b""))
        assert problem.code == StatusCode.UNIMPLEMENTED
    for path in ("/", "//", "/gesta.v1.CommandService", "/x"):
        call: UnaryCall = caller.channel.unary_unary(path)
        assert (await failed(call(b"", timeout=TIMEOUT_S))).code == StatusCode.UNIMPLEMENTED
    assert await caller.head() == 1


async def test_a_method_called_as_another_kind_answers_all_the_same(caller: Caller) -> None:
    """On the wire a unary call is a stream of one: whoever mixes them up gets an answer, or none
    but a code; never a hang, and never a second execution."""
    request = command_for("a", "add", {"amount": 1}).SerializeToString()
    call: BidiStreamCall = caller.channel.stream_stream("/gesta.v1.CommandService/Execute")
    frames = await all_of(call(iter([request]), timeout=TIMEOUT_S))
    assert len(frames) == 1
    assert await caller.head() == 2


async def test_a_message_with_much_text_that_is_not_ascii_keeps_its_reason(caller: Caller) -> None:
    """What goes into HTTP/2 trailers grows there: text to three bytes for one, details to four for
    three. A client drops trailers beyond 8 KiB, and the code with them."""
    for name in ("é" * 400, "𝄞" * 3_000, "a" * 100_000):
        problem = await refused(caller, caller.execute("a", "add", {"amount": 1, name: 1}))
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST")
        assert problem.field.startswith("arguments." + name[:50])
    problem = await refused(caller, caller.execute("𝄞" * 63, "𝄞" * 100))
    assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "UNKNOWN_COMMAND")
    exists = caller.execute("𝄞" * 63, "add", {"amount": 1}, expected_version=7)
    problem = await refused(caller, exists)
    assert problem[:2] == (StatusCode.ABORTED, "VERSION_CONFLICT")
    assert problem.metadata["aggregate_id"] == "𝄞" * 63
