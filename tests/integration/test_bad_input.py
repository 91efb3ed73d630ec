"""Bad commands and appends: each with its code, its reason and its field, and nothing written."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from google.protobuf.duration_pb2 import Duration
from grpc import StatusCode
from tests.integration.edge.caller import TIMEOUT_S, Caller, command_for, problem_of_status
from tests.integration.edge.hosting import serving
from tests.integration.edge.refusal import LEAKS, failed, refused
from tests.integration.edge.wrong import APPENDS, COMMANDS

from gesta.v1.command_service_pb2 import BatchExecuteRequest

OLD_V7 = (1).to_bytes(6, "big") + b"\x70" + bytes(1) + b"\x80" + bytes(7)


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """A server with one Tally, "a", of one event."""
    async with serving() as caller:
        await caller.execute("a", "add", {"amount": 1})
        yield caller


async def test_a_bad_command_is_refused_with_its_field(caller: Caller) -> None:
    for what, request, field in COMMANDS:
        problem = await refused(caller, caller.commands.Execute(request, timeout=TIMEOUT_S))
        asked = (problem.code, problem.reason, problem.domain)
        assert asked == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST", "gesta"), what
        assert problem.field == field, (what, problem.field)
    assert (await caller.execute("a", "add", {"amount": 1})).version == 2


async def test_a_bad_command_in_a_batch_touches_no_other(caller: Caller) -> None:
    good = command_for("b", "add", {"amount": 1})
    requests = [each for _, request, _ in COMMANDS for each in (request, good)]
    batch = BatchExecuteRequest(commands=requests)
    answer = await caller.commands.BatchExecute(batch, timeout=TIMEOUT_S)
    assert list(range(1, len(requests) + 1)) == [result.number for result in answer.results]
    for result, (what, _, field) in zip(answer.results[::2], COMMANDS, strict=True):
        problem = problem_of_status(result.error)
        assert (problem.reason, problem.outcome) == ("INVALID_REQUEST", "NOT_DONE"), what
        assert problem.field == field, what
        assert not LEAKS.search(problem.message), what
    versions = [result.response.version for result in answer.results[1::2]]
    assert list(range(1, len(COMMANDS) + 1)) == versions


async def test_a_bad_append_is_refused_whole_with_its_field(caller: Caller) -> None:
    for what, request, field in APPENDS:
        problem = await refused(caller, caller.events.AppendEvents(request, timeout=TIMEOUT_S))
        assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "INVALID_REQUEST"), what
        assert problem.field == field, (what, problem.field)
    assert (await caller.append("a", b'{"amount":1}')).position == 2


async def test_what_is_unknown_is_told_from_what_is_malformed(caller: Caller) -> None:
    nowhere = command_for("a", "add", aggregate_type="Nowhere")
    problem = await refused(caller, caller.commands.Execute(nowhere, timeout=TIMEOUT_S))
    assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "UNKNOWN_AGGREGATE_TYPE")
    assert problem.metadata["aggregate_type"] == "Nowhere"
    problem = await refused(caller, caller.execute("a", "fly"))
    assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "UNKNOWN_COMMAND")
    assert problem.metadata["command"] == "fly"
    problem = await refused(caller, caller.append("a", b"{}", aggregate_type="Nowhere"))
    assert problem[:2] == (StatusCode.INVALID_ARGUMENT, "UNKNOWN_AGGREGATE_TYPE")


async def test_a_command_id_that_is_too_old_or_taken_is_refused(caller: Caller) -> None:
    old = caller.execute("a", "add", {"amount": 1}, command_id=OLD_V7)
    assert (await refused(caller, old)).reason == "COMMAND_ID_EXPIRED"
    command_id = uuid4().bytes
    await caller.execute("a", "add", {"amount": 1}, command_id=command_id)
    taken = caller.execute("a", "add", {"amount": 2}, command_id=command_id)
    assert (await refused(caller, taken)).reason == "COMMAND_ID_REUSED"


async def test_too_much_for_one_command_is_refused_by_name(caller: Caller) -> None:
    many = await refused(caller, caller.execute("a", "burst", {"events": 1_000_000}))
    assert many[:2] == (StatusCode.FAILED_PRECONDITION, "LIMIT_EXCEEDED")
    assert many.metadata["limit"] == "events_per_command_max"
    large = await refused(caller, caller.execute("a", "add", {"amount": 1, "note": "n" * 300_000}))
    assert large.metadata["limit"] == "bytes_per_event_max"
    payload = b'{"amount":1,"note":"%s"}' % (b"n" * 300_000)
    large = await refused(caller, caller.append("a", payload))
    assert large.metadata["limit"] == "bytes_per_event_max"
    many = await refused(caller, caller.append("a", *[b'{"amount":1}'] * 1_001))
    assert many.metadata["limit"] == "events_per_command_max"


async def test_a_bug_in_the_authors_code_is_named_by_an_error_id_only(caller: Caller) -> None:
    problem = await refused(caller, caller.execute("a", "crash"))
    assert problem[:2] == (StatusCode.INTERNAL, "HANDLER_FAILED")
    assert len(problem.metadata["error_id"]) == 12


async def test_a_deadline_that_has_passed_writes_nothing(caller: Caller) -> None:
    late = command_for("a", "add", {"amount": 1}, timeout=Duration(nanos=1))
    problem = await refused(caller, caller.commands.Execute(late, timeout=TIMEOUT_S))
    assert problem[:2] == (StatusCode.DEADLINE_EXCEEDED, "EXPIRED_IN_QUEUE")
    call = caller.commands.Execute(command_for("a", "add", {"amount": 1}), timeout=-1)
    assert (await failed(call)).code == StatusCode.DEADLINE_EXCEEDED
    assert await caller.head() == 1


async def test_a_refusal_by_the_domain_says_which_domain(caller: Caller) -> None:
    problem = await refused(caller, caller.execute("a", "add", {"amount": -1}))
    assert (*problem[:2], problem.domain) == (StatusCode.FAILED_PRECONDITION, "NEGATIVE", "Tally")
    assert problem.metadata["amount"] == "-1"
