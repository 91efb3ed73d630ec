"""A client that was closed holds no connection, whether or not a garbage collector comes by."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, suppress

import pytest
from tests.integration.edge.tally import Tally

from gesta.client import AggregateNotFound, BadRequest, Client, OutOfRange, Refused, connect
from gesta.server.process import Server

PATIENCE_S = 20.0


@pytest.fixture
def no_collector() -> Iterator[None]:
    """What is freed is freed by whoever lets go of it, as in a process with much in memory, where
    the collector of cycles comes rarely."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class Relay:
    """Stands between one client and the server, and knows whether the client has hung up."""

    def __init__(self, address: str) -> None:
        self._host, _, self._port = address.rpartition(":")
        self.hung_up = asyncio.Event()

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[str]:
        listener = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"
        finally:
            listener.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(self._host, int(self._port))
        back = asyncio.create_task(_pass_on(answers, writer))
        await _pass_on(reader, requests)
        self.hung_up.set()
        await back


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def command(client: Client) -> None:
    await client.aggregate(Tally, "a").execute(Tally.add(1))


async def refused_command(client: Client) -> None:
    with pytest.raises(Refused):
        await client.aggregate(Tally, "a").execute(Tally.add(-1))


async def state_of_nothing(client: Client) -> None:
    with pytest.raises(AggregateNotFound):
        await client.aggregate(Tally, "nobody").state()


async def read_out_of_range(client: Client) -> None:
    with pytest.raises(OutOfRange):
        async for _ in client.read(after=1_000_000):
            pass


async def refused_subscription(client: Client) -> None:
    with pytest.raises(BadRequest):
        async with client.subscribe(after="no token"):
            pass


async def subscription_left_while_it_waits(client: Client) -> None:
    async with client.subscribe(from_now=True) as subscription:
        await subscription.next_batch()  # that it has caught up
        with suppress(TimeoutError):
            async with asyncio.timeout(0):
                await subscription.next_batch()


@pytest.mark.parametrize(
    "what",
    [
        command,
        refused_command,
        state_of_nothing,
        read_out_of_range,
        refused_subscription,
        subscription_left_while_it_waits,
    ],
)
async def test_a_client_that_was_closed_has_hung_up(
    server: Server, no_collector: None, what: Callable[[Client], Awaitable[None]]
) -> None:
    relay = Relay(server.address)
    async with relay.listening() as address:
        async with connect(address) as client:
            await what(client)
        async with asyncio.timeout(PATIENCE_S):
            await relay.hung_up.wait()
