"""One server: start and stop, each in one readable order.

start   bind the port · open the log · put the services in place · say that we serve
stop    say that we do not · refuse what is new · answer what was taken · close the port ·
        close the log

A storage that has failed, or that does not answer in time, is given up: whoever waits for it is
told so before the port closes, and its threads are let go.
"""

import asyncio
import logging
from pathlib import Path
from types import TracebackType
from typing import Self

import grpc

from gesta.domain.catalog import Catalog
from gesta.engine.engine import Engine
from gesta.engine.ports import Clock, Randomness
from gesta.server.config import MEMORY, Config, ConfigError
from gesta.server.rpc import (
    aggregate_service,
    command_service,
    event_service,
    projection_service,
    server_service,
)
from gesta.server.rpc.aggregate_service import AggregateService
from gesta.server.rpc.command_service import CommandService
from gesta.server.rpc.event_service import EventService
from gesta.server.rpc.guard import ANSWER_BYTES_MAX
from gesta.server.rpc.health import NAME as HEALTH
from gesta.server.rpc.health import Health
from gesta.server.rpc.projection_service import ProjectionService
from gesta.server.rpc.requests import REQUEST_BYTES_MAX, Requests
from gesta.server.rpc.router import Methods, Router
from gesta.server.rpc.server_service import ServerService
from gesta.server.rpc.slots import Slots
from gesta.server.rpc.unread import Unread
from gesta.server.wire import encode_event, encode_events
from gesta.store.event_index import EventIndex
from gesta.store.event_index_memory import MemoryEventIndex
from gesta.store.event_index_sqlite import SqliteEventIndex
from gesta.store.memory import MemoryStore
from gesta.store.port import EventStore, StorageFailed
from gesta.store.snapshots import SnapshotStore
from gesta.store.snapshots_memory import MemorySnapshots
from gesta.store.snapshots_sqlite import SqliteSnapshots
from gesta.store.sqlite import SqliteStore

_LOG = logging.getLogger("gesta.server")

SERVICES = (
    command_service.NAME,
    event_service.NAME,
    aggregate_service.NAME,
    projection_service.NAME,
    server_service.NAME,
)

_CALLS_PENDING_MAX = 20_000
"""Calls that have arrived and are not taken up yet: as many as `commands_waiting_max`, and twice as
many as may subscribe, for all of them come back at once after a restart. gRPC cancels what is
beyond it, without a reason; unless it is told otherwise, from 1,000 on."""

_CALL_PENDING_S = 600
"""How long such a call may wait. Its caller's deadline ends it earlier; gRPC itself would, without
a reason, after 30 s, which a busy machine may need for so many."""

_CALL_GRACE_S = 1.0
"""How long calls may take to end by themselves once everything is answered."""

_CLOSE_S = 10.0
"""How long closing the log may take: 16 MiB are moved into the database, which takes some 10 ms."""


class Server:
    """A gesta server. Use it as a context manager, or call `start` and `stop`.

    `catalog`, `store`, `clock` and `randomness` take the place of what the config names, for those
    who host gesta in a program of their own, or run it deterministically.
    """

    def __init__(
        self,
        config: Config,
        *,
        catalog: Catalog | None = None,
        store: EventStore | None = None,
        clock: Clock | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        self.config = config
        self.address = ""
        """HOST:PORT, once started."""
        self.failure: BaseException | None = None
        """How its storage has failed, or did not let the server stop in order."""
        self._catalog = catalog
        self._store = store
        self._clock = clock
        self._randomness = randomness
        self._engine: Engine | None = None
        self._grpc: grpc.aio.Server | None = None
        self._health = Health(SERVICES, config.health_watches_max)
        self._commands: CommandService | None = None
        self._failed = asyncio.Event()
        self._stopping: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    @property
    def engine(self) -> Engine:
        """The engine; only between start and stop."""
        assert self._engine is not None, "the server is not started"
        return self._engine

    async def start(self) -> None:
        """Returns once the server serves. Raises ConfigError, TargetError, DefinitionError or a
        StoreError; then nothing is left open. May be called once: what comes next is a new one."""
        assert self._grpc is None, "a server is started once; make another"
        self.config.validate()
        catalog = self._catalog or _catalog(self.config.target)
        router = Router(SERVICES, {HEALTH: self._health.methods()})
        self._grpc = grpc.aio.server(options=_options(self.config))
        self._grpc.add_generic_rpc_handlers((router,))
        self.address = _bind(self._grpc, self.config)
        try:
            await self._grpc.start()
            self._engine = await Engine.open(
                self._store or _store(self.config.data),
                catalog,
                encode_event,
                encode_events,
                snapshots=None if self._store else _snapshots(self.config.data),
                index=None if self._store else _index(self.config.data),
                limits=self.config.limits,
                clock=self._clock,
                randomness=self._randomness,
                on_failure=self._fail,
            )
        except BaseException:
            await self._grpc.stop(0)
            raise
        router.serve(self._services(self._engine))
        self._health.up()

    async def failed(self) -> None:
        """Returns when the storage has failed: `failure` says how, and `stop` is what is left."""
        await self._failed.wait()

    async def stop(self) -> None:
        """Answer everyone, then close. Idempotent; a second caller waits for the first.

        Takes `drain_grace_s` and some ten seconds at most. `failure` tells whether threads of the
        storage were left behind: such a process may have to be ended by os._exit.
        """
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop())
        await asyncio.shield(self._stopping)

    async def _stop(self) -> None:
        if self._grpc is None or self._engine is None:
            return
        engine = self._engine
        self._health.down()
        engine.drain()
        if self._commands is not None:
            self._commands.drain()
        in_order = self.failure is None and await self._is_idle(engine)
        if not in_order:
            await self._give_up(engine)
        await self._grpc.stop(_CALL_GRACE_S)
        if in_order:
            await self._close(engine)

    async def _is_idle(self, engine: Engine) -> bool:
        """Whether everyone was answered in time."""
        try:
            async with asyncio.timeout(self.config.drain_grace_s):
                await engine.commands.idle()
                await engine.appends.idle()
        except TimeoutError:
            self._fail(StorageFailed(f"no answer within {self.config.drain_grace_s:g} s"))
        return self.failure is None

    async def _close(self, engine: Engine) -> None:
        try:
            async with asyncio.timeout(_CLOSE_S):
                await engine.close()
        except TimeoutError:
            self._fail(StorageFailed(f"not closed within {_CLOSE_S:g} s"))
            await self._give_up(engine)

    async def _give_up(self, engine: Engine) -> None:
        _LOG.error("the storage is given up: %s", self.failure)
        try:
            async with asyncio.timeout(_CALL_GRACE_S):
                await engine.abandon()
        except TimeoutError:
            _LOG.error("not everyone could be answered")

    def _services(self, engine: Engine) -> dict[str, Methods]:
        requests = Requests(engine)
        unread = Unread(self.config.bytes_unread_max)
        reads = Slots("reads_at_once_max", self.config.reads_at_once_max)
        self._commands = CommandService(engine, requests, unread)
        return {
            command_service.NAME: self._commands.methods(),
            event_service.NAME: EventService(engine, requests, reads).methods(),
            aggregate_service.NAME: AggregateService(engine, unread, reads).methods(),
            projection_service.NAME: ProjectionService(engine).methods(),
            server_service.NAME: ServerService(engine).methods(),
        }

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            self.failure = error
        self._health.down()
        self._failed.set()


def _catalog(target: str | None) -> Catalog:
    return Catalog.of() if target is None else Catalog.load(target)


def _store(data: str) -> EventStore:
    return MemoryStore() if data == MEMORY else SqliteStore(Path(data))


def _snapshots(data: str) -> SnapshotStore:
    return MemorySnapshots() if data == MEMORY else SqliteSnapshots(Path(data))


def _index(data: str) -> EventIndex:
    return MemoryEventIndex() if data == MEMORY else SqliteEventIndex(Path(data))


def _bind(server: grpc.aio.Server, config: Config) -> str:
    host, port = config.address()
    shown = f"[{host}]" if ":" in host else host
    try:
        bound = server.add_insecure_port(f"{shown}:{port}")
    except RuntimeError:
        raise ConfigError("listen", f"{config.listen} cannot be bound; is it in use?") from None
    return f"{shown}:{bound}"


def _options(config: Config) -> list[tuple[str, int]]:
    """Every option whose default bites; the reasons stand in ARCHITECTURE.md, under "The edge"."""
    return [
        ("grpc.so_reuseport", 0),
        ("grpc.max_receive_message_length", 4 * REQUEST_BYTES_MAX),
        ("grpc.max_send_message_length", ANSWER_BYTES_MAX),
        ("grpc.max_metadata_size", 16_384),
        ("grpc.absolute_max_metadata_size", 32_768),
        ("grpc.max_concurrent_streams", config.streams_per_connection_max),
        ("grpc.server.max_pending_requests", _CALLS_PENDING_MAX),
        ("grpc.server.max_pending_requests_hard_limit", _CALLS_PENDING_MAX),
        ("grpc.server_max_unrequested_time_in_server", _CALL_PENDING_S),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
    ]
