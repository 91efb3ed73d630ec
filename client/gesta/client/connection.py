"""One channel and the four services on it."""

import asyncio
from collections.abc import Awaitable
from typing import Protocol, TypeVar

import grpc
from grpc.aio import AioRpcError

from gesta.client.attempts import Attempts
from gesta.client.errors import ClientClosed
from gesta.client.options import Options
from gesta.client.retry import RetryBudget
from gesta.client.status import from_rpc_error
from gesta.v1.aggregate_service_pb2_grpc import AggregateServiceStub
from gesta.v1.command_service_pb2_grpc import CommandServiceStub
from gesta.v1.event_service_pb2_grpc import EventServiceStub
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
        self._closed = False
        self.budget = RetryBudget(options.retry_tokens_max)
        self.commands = CommandServiceStub(self._channel)
        self.events = EventServiceStub(self._channel)
        self.aggregates = AggregateServiceStub(self._channel)
        self.server = ServerServiceStub(self._channel)

    def attempts(self, timeout_s: float | None, command_id: bytes | None = None) -> Attempts:
        """For one request; `timeout_s` of None is the client's default."""
        seconds = self.options.timeout_s if timeout_s is None else timeout_s
        deadline = asyncio.get_running_loop().time() + seconds
        return Attempts(self.options.retry, self.budget, deadline, command_id)

    async def ask(self, method: Method[Q_contra, A], request: Q_contra, attempts: Attempts) -> A:
        """The answer to a request that is safe to repeat: a read, or one with a command id."""
        loop = asyncio.get_running_loop()
        while True:
            if self._closed:
                raise attempts.final(ClientClosed("the client is closed"))
            call = method(request, timeout=max(attempts.deadline - loop.time(), 0.0))
            try:
                answer = await call
            except AioRpcError as failed:
                error = from_rpc_error(failed)
            except asyncio.CancelledError:
                if self.ended_here():
                    raise attempts.closed() from None
                raise
            else:
                attempts.answered()
                return answer
            finally:
                call.cancel()  # without effect on one that has ended
            await attempts.pause(error)

    async def close(self) -> None:
        """Ends every call that is still under way; those who wait get ClientClosed."""
        self._closed = True
        await self._channel.close()

    def check_open(self) -> None:
        """Raises ClientClosed; grpc's own error for it is no error of ours."""
        if self._closed:
            raise ClientClosed("the client is closed")

    def ended_here(self) -> bool:
        """Whether a CancelledError means that `close` ended the call, not that somebody cancelled
        the task that waits for it."""
        task = asyncio.current_task()
        return self._closed and (task is None or task.cancelling() == 0)
