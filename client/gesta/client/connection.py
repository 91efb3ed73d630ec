"""One channel and the five services on it."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol, TypeVar

import grpc
from grpc.aio import AioRpcError

from gesta.client.attempts import Attempts
from gesta.client.errors import ClientClosed, GestaError
from gesta.client.ids import CommandIds
from gesta.client.options import Options
from gesta.client.retry import RetryBudget
from gesta.client.status import from_rpc_error
from gesta.v1.aggregate_service_pb2_grpc import AggregateServiceStub
from gesta.v1.command_service_pb2 import ExecuteResponse
from gesta.v1.event_service_pb2_grpc import EventServiceStub
from gesta.v1.projection_service_pb2_grpc import ProjectionServiceStub
from gesta.v1.server_service_pb2_grpc import ServerServiceStub

Q_contra = TypeVar("Q_contra", contravariant=True)
A = TypeVar("A")
A_co = TypeVar("A_co", covariant=True)


class UnaryCall(Awaitable[A_co], Protocol[A_co]):
    """A call under way."""

    def cancel(self) -> bool: ...


class Method(Protocol[Q_contra, A_co]):
    """A unary method of a stub."""

    def __call__(self, request: Q_contra, /, *, timeout: float) -> UnaryCall[A_co]: ...


class Connection:
    """Belongs to the loop it is made on. Connects when the first call is made."""

    def __init__(self, address: str, options: Options) -> None:
        arguments = options.channel_arguments()
        if options.credentials is None:
            self._channel = grpc.aio.insecure_channel(address, arguments)
        else:
            self._channel = grpc.aio.secure_channel(address, options.credentials, arguments)
        self.options = options
        self._loop = asyncio.get_running_loop()
        self._closing = asyncio.Event()
        self._writing: set[asyncio.Future[None]] = set()
        """Resolved as the calls end that may write something."""
        self.ids = CommandIds()
        """Not the client's, which may be made before a fork: two processes would draw the same."""
        self.budget = RetryBudget(options.retry_tokens_max)
        # Commands are bytes already, and a frame of answers that does not parse is ours to tell of.
        service = "/gesta.v1.CommandService"
        self.execute: Method[bytes, ExecuteResponse] = self._channel.unary_unary(
            f"{service}/Execute", response_deserializer=ExecuteResponse.FromString
        )
        self.execute_stream: grpc.aio.StreamStreamMultiCallable[bytes, bytes] = (
            self._channel.stream_stream(f"{service}/ExecuteStream")
        )
        self.events = EventServiceStub(self._channel)
        self.aggregates = AggregateServiceStub(self._channel)
        self.projections = ProjectionServiceStub(self._channel)
        self.server = ServerServiceStub(self._channel)

    def attempts(self, timeout_s: float | None, command_id: bytes | None = None) -> Attempts:
        """For one request; `timeout_s` of None is the client's default. Raises RuntimeError on
        another loop."""
        if asyncio.get_running_loop() is not self._loop:
            raise elsewhere()
        seconds = self.options.timeout_s if timeout_s is None else timeout_s
        deadline = self._loop.time() + seconds
        return Attempts(self.options.retry, self.budget, deadline, command_id)

    async def ask(self, method: Method[Q_contra, A], request: Q_contra, attempts: Attempts) -> A:
        """The answer to a request that is safe to repeat: a read, or one with a command id."""
        if attempts.command_id is None:
            return await self._ask(method, request, attempts)
        ended = self._loop.create_future()
        self._writing.add(ended)
        try:
            return await self._ask(method, request, attempts)
        finally:
            self._writing.discard(ended)
            ended.set_result(None)

    async def pause(self, delay_s: float) -> None:
        """Before asking again. Returns early when the client is closed."""
        try:
            async with asyncio.timeout(delay_s):
                await self._closing.wait()
        except TimeoutError:
            pass

    def refuse(self) -> None:
        """From now on nothing can be asked, and what failed is not asked again."""
        self._closing.set()

    async def finish(self) -> None:
        """Waits `close_timeout_s` at most for calls that may write something."""
        if self._writing:
            await asyncio.wait(self._writing, timeout=self.options.close_timeout_s)

    async def close(self) -> None:
        """Ends every call that is still under way; those who wait get ClientClosed."""
        self.refuse()
        await self._channel.close()

    def check_open(self) -> None:
        """Raises ClientClosed; grpc's own error for it is no error of ours. RuntimeError on another
        loop."""
        if self._closing.is_set():
            raise ClientClosed("the client is closed")
        if asyncio.get_running_loop() is not self._loop:
            raise elsewhere()

    def ended_here(self) -> bool:
        """Whether a CancelledError means that `close` ended the call, not that somebody cancelled
        the task that waits for it."""
        task = asyncio.current_task()
        return self._closing.is_set() and (task is None or task.cancelling() == 0)

    async def _ask(self, method: Method[Q_contra, A], request: Q_contra, attempts: Attempts) -> A:
        while True:
            answer = await self._attempt(method, request, attempts)
            if not isinstance(answer, GestaError):
                self.budget.answered()
                return answer
            delay_s = attempts.delay_s(answer)
            if delay_s is None:
                raise attempts.final(answer)
            await self.pause(delay_s)

    async def _attempt(
        self, method: Method[Q_contra, A], request: Q_contra, attempts: Attempts
    ) -> A | GestaError:
        """What one call came to. The call is known in here alone: an error that is raised keeps the
        variables of `_ask`, itself among them, and a call that is kept keeps its connection open.
        """
        if self._closing.is_set():
            raise attempts.closed(sent=False)
        call = method(request, timeout=max(attempts.deadline - self._loop.time(), 0.0))
        try:
            return await call
        except AioRpcError as failed:
            return from_rpc_error(failed)
        except asyncio.CancelledError:
            if self.ended_here():
                raise attempts.closed(sent=True) from None
            raise
        finally:
            call.cancel()  # without effect on one that has ended


def elsewhere() -> RuntimeError:
    """grpc and asyncio would fail with errors that do not say what to do, or not at all."""
    return RuntimeError(
        "this client was opened on another event loop, or before a fork: open one for each loop"
    )
