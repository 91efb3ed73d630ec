"""The client: what is asked of a server, from one event loop."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from enum import Enum
from types import TracebackType
from typing import Any, Self, TypeVar, Unpack
from uuid import UUID

from gesta.client import projections, reads
from gesta.client.aggregate import AggregateHandle
from gesta.client.appending import Check, NewEvent, append
from gesta.client.commands import CommandOptions, Commands
from gesta.client.connection import Connection
from gesta.client.descriptions import AggregateTypeDescription, ServerInfo
from gesta.client.errors import ClientClosed, Outcome
from gesta.client.event import Event
from gesta.client.filters import Where
from gesta.client.follower import FRAMES_AHEAD_MAX_DEFAULT, HEARTBEAT_S_DEFAULT
from gesta.client.history import Change, Outlook, read_history, try_out
from gesta.client.keeping import Keeper
from gesta.client.options import ClientOptions, Options
from gesta.client.payloads import aggregate_name, decode_answer, decode_plain, encode_plain
from gesta.client.reading import After, Reading, Source, reading_request
from gesta.client.repository import Repository
from gesta.client.results import AggregateSummary, Appended, Done, State
from gesta.client.subscription import Subscription, subscribe_request
from gesta.v1.aggregate_service_pb2 import DryRunRequest

S = TypeVar("S")


class ClientState(Enum):
    """UNOPENED → OPEN → CLOSED, and never back."""

    UNOPENED = "UNOPENED"
    """Made, bound to nothing: no loop, no socket. Nothing can be asked yet."""
    OPEN = "OPEN"
    """Bound to the running loop. The connection is made with the first call, and again whenever it
    breaks; a server that is not there shows in the calls, not here."""
    CLOSED = "CLOSED"
    """Everything that was asked has been answered, if only with ClientClosed."""


class Client:
    """Made by `connect`. Use it as a context manager, from one loop; any number of tasks may.

    `aggregate` and `repository` are typed by your classes; the methods with names in their
    arguments are for callers without them, and take and give plain JSON.
    """

    def __init__(self, address: str, options: Options) -> None:
        self.address = address
        self.options = options
        self._open: tuple[Connection, Commands] | None = None
        self._closed = False
        self._subscriptions: set[Subscription] = set()

    @property
    def lifecycle(self) -> ClientState:
        """See ClientState."""
        if self._closed:
            return ClientState.CLOSED
        return ClientState.UNOPENED if self._open is None else ClientState.OPEN

    async def __aenter__(self) -> Self:
        if self.lifecycle is not ClientState.UNOPENED:
            raise ClientClosed(f"a client is opened once; this one is {self.lifecycle.value}")
        connection = Connection(self.address, self.options)
        self._open = (connection, Commands(connection))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Waits `close_timeout_s` at most for commands that were sent, then ends every call."""
        if self._open is None or self._closed:
            self._closed = True
            return
        self._closed = True
        connection, commands = self._open
        connection.refuse()
        try:
            for subscription in list(self._subscriptions):
                await subscription.close()
            await commands.close()
        finally:
            await connection.close()

    def aggregate(self, aggregate_class: type[S], aggregate_id: str) -> AggregateHandle[S]:
        """A typed handle; nothing is sent. Raises TypeError for a class without @aggregate, or an
        id that is no str."""
        return AggregateHandle(*self._opened(), aggregate_class, aggregate_id)

    def repository(
        self, aggregate_class: type[S], *, snapshots: Keeper | None = None
    ) -> Repository[S]:
        """Aggregates that are loaded and decide here, sooner with `snapshots`, a MemoryKeeper say.
        Raises TypeError as `aggregate` does."""
        connection, _ = self._opened()
        return Repository(connection, connection.ids, aggregate_class, snapshots)

    async def execute(
        self,
        aggregate_type: str,
        aggregate_id: str,
        command: str,
        arguments: Mapping[str, object] | None = None,
        **options: Unpack[CommandOptions],
    ) -> Done[Any]:
        """Executes a command by name; the reply is plain JSON. See AggregateHandle.execute."""
        answer = await self._opened()[1].execute(
            aggregate_type, aggregate_id, command, encode_plain(arguments), **options
        )
        return Done(
            decode_answer(decode_plain, answer.reply, Outcome.DONE),
            answer.version,
            answer.position,
            answer.token,
            answer.event_count,
            answer.replayed,
            answer.command_id,
            tuple(answer.pending) if "wait_for" in options else (),  # to look costs 0.4 µs
        )

    async def query(
        self,
        aggregate_type: str,
        aggregate_id: str,
        query: str,
        arguments: Mapping[str, object] | None = None,
        *,
        min_token: str | None = None,
        timeout_s: float | None = None,
    ) -> Any:
        """Asks a query by name; the reply is plain JSON. See AggregateHandle.query."""
        return await reads.ask_query(
            self._opened()[0],
            aggregate_type,
            aggregate_id,
            query,
            encode_plain(arguments),
            decode_plain,
            min_token,
            timeout_s,
        )

    async def state(
        self,
        aggregate_type: str,
        aggregate_id: str,
        *,
        min_token: str | None = None,
        timeout_s: float | None = None,
        **moment: Unpack[reads.Moment],
    ) -> State[Any]:
        """An aggregate's state as plain JSON. See AggregateHandle.state."""
        return await reads.get_state(
            self._opened()[0],
            aggregate_type,
            aggregate_id,
            decode_plain,
            min_token,
            timeout_s,
            moment,
        )

    def history(
        self, aggregate_type: str, aggregate_id: str, *, after_version: int = 0, limit: int = 0
    ) -> AsyncGenerator[Change[Any], None]:
        """What happened, version by version, states as plain JSON. See AggregateHandle.history."""
        return read_history(
            self._opened()[0], aggregate_type, aggregate_id, decode_plain, after_version, limit
        )

    async def dry_run(
        self,
        aggregate_type: str,
        aggregate_id: str,
        command: str,
        arguments: Mapping[str, object] | None = None,
        *,
        at_version: int | None = None,
        min_token: str | None = None,
        timeout_s: float | None = None,
    ) -> Outlook[Any, Any]:
        """What a command would do, by name and in plain JSON. See AggregateHandle.dry_run."""
        request = DryRunRequest(
            aggregate_type=aggregate_type,
            aggregate_id=aggregate_id,
            command=command,
            arguments=encode_plain(arguments),
            at_version=at_version,
            min_token=min_token,
        )
        return await try_out(self._opened()[0], request, decode_plain, decode_plain, timeout_s)

    def list_aggregates(
        self, aggregate: str | type, id_prefix: str = "", *, timeout_s: float | None = None
    ) -> AsyncGenerator[AggregateSummary, None]:
        """The aggregates of a type, by id in byte order. `timeout_s` is for each 1,000 of them."""
        return reads.list_aggregates(
            self._opened()[0], aggregate_name(aggregate), id_prefix, timeout_s
        )

    def read(
        self,
        aggregate: Source | None = None,
        *,
        where: Where = None,
        after: After | None = None,
        backwards: bool = False,
        limit: int = 0,
        as_stored: bool = False,
    ) -> Reading:
        """Reads what is in the log now. Nothing is sent before it is iterated over.

        All events; or one aggregate's, `(BankAccount, "acc-1")`; or those that match `where`, say
        `Match(aggregate_types=[BankAccount])`. `after` is a token, a position (the version, for one
        aggregate) or a commit time; `backwards` begins at the end, or before `after`. A `limit` of
        0 is none; one that would part a command's events gives fewer. Raises AggregateNotFound,
        while iterating, for one aggregate without events.

        Events come in the version of the server's code, unless `as_stored`: then as they were
        written, and `where` names the types of then.
        """
        request = reading_request(aggregate, where, after, backwards, limit, as_stored)
        return Reading(self._opened()[0], request)

    def subscribe(
        self,
        *,
        after: str | None = None,
        from_now: bool = False,
        where: Where = None,
        heartbeat_s: int = HEARTBEAT_S_DEFAULT,
        as_stored: bool = False,
        frames_ahead_max: int = FRAMES_AHEAD_MAX_DEFAULT,
    ) -> Subscription:
        """Follows the log: from its beginning, `after` a token, or `from_now` on.

        Use it in `async with`. A heartbeat is missed three times before the connection counts as
        broken, so a shorter one (1 to 60) finds that sooner. Whoever rests between batches, for a
        commit of his own say, has up to `frames_ahead_max` frames of 64 KiB read meanwhile.
        """
        connection, _ = self._opened()
        request = subscribe_request(after, from_now, where, heartbeat_s, as_stored)
        subscription = Subscription(
            connection, request, frames_ahead_max, self._subscriptions.discard
        )
        self._subscriptions.add(subscription)
        return subscription

    async def append(
        self,
        events: Sequence[NewEvent],
        checks: Sequence[Check] = (),
        *,
        command_id: UUID | str | None = None,
        caused_by: Event | None = None,
        correlation_id: str | None = None,
        causation_id: str | None = None,
        traceparent: str | None = None,
        timeout_s: float | None = None,
    ) -> Appended:
        """Appends events without a command: all or none, if every check holds. At most 1,000.

        `caused_by` and `traceparent` as in CommandOptions.
        Raises VersionConflict, AggregateExists or AggregateNotFound for the first check that fails.
        """
        connection, _ = self._opened()
        return await append(
            connection,
            connection.ids,
            events,
            checks,
            command_id=command_id,
            caused_by=caused_by,
            correlation_id=correlation_id,
            causation_id=causation_id,
            traceparent=traceparent,
            timeout_s=timeout_s,
        )

    async def describe(
        self, aggregate: str | type | None = None, *, timeout_s: float | None = None
    ) -> list[AggregateTypeDescription]:
        """The types the server hosts, or one of them, with the schemas of what they understand."""
        name = None if aggregate is None else aggregate_name(aggregate)
        return await reads.describe(self._opened()[0], name, timeout_s)

    async def wait_for_projection(
        self, names: str | Sequence[str], token: str, *, timeout_s: float | None = None
    ) -> tuple[str, ...]:
        """Waits until projections have everything up to a token, and tells which have not in time.

        A name that nobody reports is pending in the end, like one that is late. Raises OutOfRange
        for a token past the head, LogRestored for one from before a restore.
        """
        return await projections.wait(self._opened()[0], names, token, timeout_s)

    async def list_projections(
        self, *, timeout_s: float | None = None
    ) -> list[projections.ProjectionReport]:
        """The projections that have reported since the server started, by name, silent ones too."""
        return await projections.reports(self._opened()[0], timeout_s)

    async def report_checkpoint(
        self, name: str, session: UUID, token: str, *, timeout_s: float | None = None
    ) -> float:
        """Reports that a projection has stored everything up to a token. Reporter does so for you.

        Returns after how many seconds without another report it counts as silent. Raises
        SessionSuperseded until a newer session is silent, OutOfRange and LogRestored as above.
        """
        return await projections.report(self._opened()[0], name, session, token, timeout_s)

    async def info(self, *, timeout_s: float | None = None) -> ServerInfo:
        """What the server is, where its log stands, and what it allows."""
        return await reads.info(self._opened()[0], timeout_s)

    def _opened(self) -> tuple[Connection, Commands]:
        if self._open is None or self._closed:
            raise ClientClosed(f"the client is {self.lifecycle.value}; use it in `async with`")
        return self._open


def connect(address: str, **options: Unpack[ClientOptions]) -> Client:
    """A client of the server at HOST:PORT, for `async with`; `options` are those of Options.

    Raises TypeError for an option that does not exist, ValueError for one out of its range.
    """
    return Client(address, Options(**options))
