"""Health and reflection, as the tools of others ask for them; and a server that is not ready."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from tests.integration.edge.caller import TIMEOUT_S, Caller, connected
from tests.integration.edge.hosting import server_on
from tests.integration.edge.refusal import all_of, failed

from gesta.store.memory import MemoryStore
from gesta.store.port import LogInfo
from gesta.v1.command_service_pb2 import ExecuteStreamRequest

SERVICES = [
    "AggregateService",
    "CommandService",
    "EventService",
    "ProjectionService",
    "ServerService",
]
REFLECTION = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]
BUF = Path(__file__).parents[2] / ".venv" / "bin" / "buf"
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class SlowToOpen(MemoryStore):
    """Opens when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.opening = asyncio.Event()
        self.may_open = asyncio.Event()

    async def open(self) -> LogInfo:
        self.opening.set()
        await self.may_open.wait()
        return await super().open()


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    async with server_on() as server, connected(server.address) as caller:
        yield caller


async def test_health_answers_for_the_server_and_each_service(caller: Caller) -> None:
    health = health_pb2_grpc.HealthStub(caller.channel)
    for name in ("", "grpc.health.v1.Health", *(f"gesta.v1.{each}" for each in SERVICES)):
        request = health_pb2.HealthCheckRequest(service=name)
        assert (await health.Check(request, timeout=TIMEOUT_S)).status == SERVING
    unknown = health_pb2.HealthCheckRequest(service="gesta.v1.Nothing")
    assert (await failed(health.Check(unknown, timeout=TIMEOUT_S))).code == StatusCode.NOT_FOUND


async def test_health_tells_its_watchers_when_the_server_stops() -> None:
    server = server_on()
    await server.start()
    async with connected(server.address) as caller:
        health = health_pb2_grpc.HealthStub(caller.channel)
        known = aiter(health.Watch(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S))
        nobody = health_pb2.HealthCheckRequest(service="gesta.v1.Nothing")
        unknown = aiter(health.Watch(nobody, timeout=TIMEOUT_S))
        assert (await anext(known)).status == SERVING
        assert (await anext(unknown)).status == UNKNOWN
        await server.stop()
        assert [each.status for each in await all_of(known)] == [NOT_SERVING]
        assert [each.status for each in await all_of(unknown)] == [UNKNOWN]


@pytest.mark.parametrize("reflection", REFLECTION)
async def test_reflection_lists_the_services_and_gives_their_files(
    caller: Caller, reflection: str
) -> None:
    call = caller.channel.stream_stream(
        f"/{reflection}/ServerReflectionInfo",
        request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
        response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
    )
    names = [f"gesta.v1.{each}" for each in SERVICES]
    asked = [reflection_pb2.ServerReflectionRequest(list_services="")]
    asked += [reflection_pb2.ServerReflectionRequest(file_containing_symbol=n) for n in names]
    listed, *files = await all_of(call(iter(asked), timeout=TIMEOUT_S))
    found = {service.name for service in listed.list_services_response.service}
    assert found == {*names, "grpc.health.v1.Health", REFLECTION[1]}
    assert all(file.file_descriptor_response.file_descriptor_proto for file in files)


async def test_a_tool_that_knows_nothing_but_reflection_can_call(caller: Caller) -> None:
    buf = str(BUF) if BUF.exists() else shutil.which("buf")
    if buf is None:
        pytest.skip("buf is not here")
    await caller.execute("a", "add", {"amount": 7})
    address = caller.address
    process = await asyncio.create_subprocess_exec(
        *(buf, "curl", "--protocol", "grpc", "--http2-prior-knowledge"),
        *("--data", '{"aggregateType":"Tally","aggregateId":"a"}'),
        f"http://{address}/gesta.v1.AggregateService/GetAggregate",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b'"version": "1"' in out or b'"version":"1"' in out


async def test_before_it_is_ready_a_server_says_starting_and_then_serves() -> None:
    store = SlowToOpen()
    server = server_on(store)
    start = asyncio.create_task(server.start())
    await store.opening.wait()
    async with connected(server.address) as caller:
        health = health_pb2_grpc.HealthStub(caller.channel)
        status = await health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        assert status.status == NOT_SERVING
        calls: list[Awaitable[object]] = [caller.execute("a", "add", {"amount": 1})]
        calls += [caller.append("a", b"{}"), caller.read(), caller.head()]
        for call in calls:
            problem = await failed(call)
            assert (problem.code, problem.reason) == (StatusCode.UNAVAILABLE, "STARTING")
            assert problem.outcome == "NOT_DONE"
        stream = caller.commands.ExecuteStream(iter([ExecuteStreamRequest()]), timeout=TIMEOUT_S)
        assert (await failed(all_of(stream))).reason == "STARTING"
        store.may_open.set()
        await start
        assert (await caller.execute("a", "add", {"amount": 1})).version == 1
    await server.stop()


async def test_a_start_that_fails_gives_its_port_back() -> None:
    class Broken(MemoryStore):
        async def open(self) -> LogInfo:
            raise OSError("no such disk")

    server = server_on(Broken())
    with pytest.raises(OSError, match="no such disk"):
        await server.start()
    await server.stop()
    async with server_on(listen=server.address) as again:
        assert again.address == server.address
