"""Reading aggregates: from the confirmed state, at once, past everything that waits."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from gesta.domain.catalog import Catalog
from gesta.domain.context import Context
from gesta.domain.errors import InvalidArgument
from gesta.engine.commands import invalid_argument
from gesta.engine.errors import (
    AggregateNotFound,
    CorruptEvent,
    StorageUnavailable,
    UnknownAggregateType,
    UnknownCommand,
)
from gesta.engine.faults import handler_broken
from gesta.engine.feed import Feed
from gesta.engine.log_time import LogTime
from gesta.engine.registry import Registry
from gesta.engine.watchdog import Watchdog
from gesta.store.port import CorruptLog, EventStore, StorageFailed, StreamHead

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NO_COMMAND = UUID(int=0)


class Read(NamedTuple):
    """A state, or the reply to a query, and what it rests on."""

    version: int
    data: bytes
    """JSON."""
    head: int


class Reads:
    """Answers questions about aggregates; changes nothing."""

    def __init__(
        self,
        store: EventStore,
        catalog: Catalog,
        registry: Registry,
        feed: Feed,
        time: LogTime,
        watchdog: Watchdog,
    ) -> None:
        self._store = store
        self._types = catalog.types
        self._registry = registry
        self._feed = feed
        self._time = time
        self._watchdog = watchdog

    async def state(self, aggregate_type: str, aggregate_id: str) -> Read:
        """The confirmed state. Raises UnknownAggregateType, AggregateNotFound, or a Fault."""
        hosted = self._types.get(aggregate_type)
        if hosted is None:
            raise UnknownAggregateType(aggregate_type)
        version, state = await self._confirmed(aggregate_type, aggregate_id)
        with self._watchdog:
            try:
                data = hosted.encode_state(state)
            except Exception as error:  # it is the author's code
                raise handler_broken(f"{aggregate_type} state", error) from None
        return Read(version, data, self._feed.head)

    async def query(
        self, aggregate_type: str, aggregate_id: str, query: str, arguments: bytes, principal: str
    ) -> Read:
        """The reply of a query on the confirmed state. Raises as `state` does, and UnknownCommand
        or InvalidRequest."""
        hosted = self._types.get(aggregate_type)
        if hosted is None:
            raise UnknownAggregateType(aggregate_type)
        spec = hosted.queries.get(query)
        if spec is None:
            raise UnknownCommand(aggregate_type, query, "query")
        with self._watchdog:  # an argument may be of an author's class
            try:
                decoded = spec.decode_arguments(arguments)
            except InvalidArgument as error:
                raise invalid_argument(error) from None
        version, state = await self._confirmed(aggregate_type, aggregate_id)
        now = _EPOCH + timedelta(microseconds=self._time.now_us())
        context = Context(aggregate_id, version, now, principal, _NO_COMMAND)
        with self._watchdog:
            try:
                reply = spec.run(state, decoded, context)
            except Exception as error:  # it is the author's code
                raise handler_broken(f"{aggregate_type} {query}", error) from None
        return Read(version, reply, self._feed.head)

    async def list(
        self, aggregate_type: str, id_prefix: str, after_id: str, limit: int
    ) -> list[StreamHead]:
        """Aggregates that have events, in byte order of their ids."""
        if self._types and aggregate_type not in self._types:
            raise UnknownAggregateType(aggregate_type)
        try:
            return await self._store.list_streams(aggregate_type, id_prefix, after_id, limit)
        except CorruptLog as error:
            raise CorruptEvent(error.position) from error
        except StorageFailed as error:
            raise StorageUnavailable from error

    async def _confirmed(self, aggregate_type: str, aggregate_id: str) -> tuple[int, object]:
        actor = self._registry.live(aggregate_type, aggregate_id)
        if actor is None or actor.loaded is not None:
            hosted = self._types[aggregate_type]
            actor = await self._registry.pin(aggregate_type, aggregate_id, hosted)
            self._registry.unpin(actor)
        if not actor.confirmed_version:
            raise AggregateNotFound(aggregate_type, aggregate_id)
        return actor.confirmed_version, actor.confirmed_state
