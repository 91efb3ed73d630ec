"""Storage that fails, or does not answer: everyone hears what is known, and the server ends."""

import asyncio
import signal
from collections.abc import Awaitable
from pathlib import Path

import pytest
from grpc import StatusCode
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tests.integration.edge.caller import (
    TIMEOUT_S,
    Caller,
    command_for,
    connected,
    problem_of_status,
)
from tests.integration.edge.hosting import server_on
from tests.integration.edge.process import running
from tests.integration.edge.refusal import failed
from tests.integration.edge.stream import CommandStream, HeldStore

from gesta.store.memory import MemoryStore
from gesta.store.port import StorageFailed, StreamHead
from gesta.v1.aggregate_service_pb2 import GetAggregateRequest

ONE = {"amount": 1}
UNKNOWN = (StatusCode.UNKNOWN, "OUTCOME_UNKNOWN", "UNKNOWN")
NOT_DONE = (StatusCode.UNAVAILABLE, "STORAGE_UNAVAILABLE", "NOT_DONE")


class Reading(MemoryStore):
    """Looks for streams when it is let, and not if it has an error to raise."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.reading = asyncio.Event()
        self.error: Exception | None = None

    async def find_stream(
        self, aggregate_type: str, aggregate_id: str, events_max: int = 0
    ) -> StreamHead | None:
        self.reading.set()
        await self.free.wait()
        if self.error is not None:
            raise self.error
        return await super().find_stream(aggregate_type, aggregate_id, events_max)


async def _state(caller: Caller) -> object:
    request = GetAggregateRequest(aggregate_type="Tally", aggregate_id="other")
    return await caller.aggregates.GetAggregate(request, timeout=TIMEOUT_S)


async def test_a_commit_that_never_returns_is_given_up_when_the_server_stops() -> None:
    store = HeldStore()
    server = server_on(store, drain_grace_s=0)
    await server.start()
    async with connected(server.address) as caller:
        for each in ("a", "b", "c"):
            await caller.execute(each, "add", ONE)
        store.hold()
        committing = asyncio.ensure_future(failed(caller.execute("a", "add", ONE)))
        await store.committing.wait()
        stream = CommandStream(caller)
        await stream.send(command_for("b", "add", ONE), command_for("b", "add", {"amount": -1}))
        while server.engine.commands.waiting < 3:
            await caller.head()
        async with asyncio.timeout(TIMEOUT_S):
            await server.stop()
        assert (await committing)[:3] == UNKNOWN
        results = await stream.rest()
        assert [problem_of_status(result.error)[:3] for result in results] == [NOT_DONE] * 2
        assert stream.drained
    assert isinstance(server.failure, StorageFailed)
    async with server_on(listen=server.address) as again:
        assert again.address == server.address


async def test_a_read_that_never_returns_is_given_up_when_the_server_stops() -> None:
    store = Reading()
    server = server_on(store, drain_grace_s=0)
    await server.start()
    async with connected(server.address) as caller:
        calls: list[Awaitable[object]] = [
            caller.execute("a", "add", ONE),
            caller.append("a", b'{"amount":1}'),
            _state(caller),
        ]
        waiting = [asyncio.ensure_future(failed(each)) for each in calls]
        await store.reading.wait()
        engine = server.engine
        while engine.live_aggregates < 2 or not (
            engine.commands.waiting and engine.appends._waiting
        ):
            await caller.head()
        async with asyncio.timeout(TIMEOUT_S):
            await server.stop()
        for each in waiting:
            assert (await each)[:3] == NOT_DONE
    assert isinstance(server.failure, StorageFailed)


async def test_a_log_that_cannot_be_closed_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class NeverClosed(MemoryStore):
        async def close(self) -> None:
            await asyncio.Event().wait()

    monkeypatch.setattr("gesta.server.process._CLOSE_S", 0)
    server = server_on(NeverClosed())
    await server.start()
    async with asyncio.timeout(TIMEOUT_S):
        await server.stop()
    assert isinstance(server.failure, StorageFailed)


async def test_a_read_that_fails_ends_the_server_as_a_commit_does() -> None:
    store = Reading()
    store.error = StorageFailed("EIO")
    store.free.set()
    async with server_on(store) as server, connected(server.address) as caller:
        assert (await failed(caller.execute("a", "add", ONE)))[:3] == NOT_DONE
        async with asyncio.timeout(TIMEOUT_S):
            await server.failed()
        assert server.failure is store.error
        health = health_pb2_grpc.HealthStub(caller.channel)
        status = await health.Check(health_pb2.HealthCheckRequest(), timeout=TIMEOUT_S)
        assert status.status == health_pb2.HealthCheckResponse.NOT_SERVING


async def test_a_process_whose_disk_stalls_ends_with_74_when_it_is_told_to_stop(
    tmp_path: Path,
) -> None:
    target = "tests.integration.edge.stalling:Stalling"
    async with (
        running(tmp_path, "--drain-grace-s", "0", target=target) as process,
        connected(process.address) as caller,
    ):
        await caller.execute("a", "work", aggregate_type="Stalling")
        call = failed(caller.execute("a", "stall", aggregate_type="Stalling"))
        stalled = asyncio.ensure_future(call)
        while "the disk has stalled" not in process.said():
            await caller.head()
        process.signal(signal.SIGTERM)
        assert (await stalled)[:3] == UNKNOWN
        assert await process.ended() == 74
        assert "gesta: STORAGE_FAILED: " in process.said()
    async with running(tmp_path) as process, connected(process.address) as caller:
        assert await caller.head() in (1, 2)
