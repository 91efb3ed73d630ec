"""Commands, queries and states against a real server."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.integration.edge.tally import Tally

from gesta.client import (
    AggregateExists,
    AggregateNotFound,
    Client,
    CommandIdReused,
    HandlerFailed,
    InvalidRequest,
    LimitExceeded,
    Outcome,
    Refused,
    UnknownAggregateType,
    UnknownCommand,
    UnreadableAnswer,
    VersionConflict,
    command_id_for,
    connect,
)
from gesta.domain import Decision, aggregate, command, event
from gesta.domain.errors import InvalidArgument
from gesta.server.process import Server


@event("Flown")
class Flown:
    pass


@aggregate("Kite")
class Kite:
    """A type that the server has never heard of."""

    flights: int = 0

    def evolve(self, event: Flown) -> "Kite":
        return Kite(self.flights + 1)

    @command
    def fly(self) -> Decision[Flown, "Kite", None]:
        yield Flown()


@aggregate("Tally")
class OlderTally:
    """The same type as the server's, from a time when `add` answered with a word."""

    flights: int = 0

    def evolve(self, event: Flown) -> "OlderTally":
        return OlderTally(self.flights + 1)

    @command
    def add(self, amount: int) -> Decision[Flown, "OlderTally", str]:
        yield Flown()
        return "added"


@pytest.fixture(params=[True, False], ids=["batched", "unary"])
async def either(server: Server, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    async with connect(server.address, batching=request.param) as opened:
        yield opened


async def test_a_typed_command_answers_with_its_typed_reply(either: Client) -> None:
    tally = either.aggregate(Tally, "a")
    done = await tally.execute(Tally.add(5))
    assert (
        done.reply,
        done.version,
        done.position,
        done.event_count,
        done.replayed,
    ) == (5, 1, 1, 1, False)
    assert done.command_id.version == 7
    state = await tally.state(min_token=done.token)
    assert (Tally(total=5, count=1), 1, 1, done.token) == (
        state.state,
        state.version,
        state.position,
        state.token,
    )
    assert await tally.query(Tally.sum_of(3), min_token=done.token) == 15


async def test_a_command_by_name_answers_in_plain_json(either: Client) -> None:
    done = await either.execute("Tally", "a", "add", {"amount": 5})
    assert done.reply == 5
    assert await either.query("Tally", "a", "sum_of", {"factor": 2}) == 10
    assert (await either.state("Tally", "a")).state == {"total": 5, "count": 1}
    cleared = await either.execute("Tally", "a", "clear")
    assert (cleared.reply, cleared.version) == (None, 2)


async def test_a_query_without_arguments_may_be_named_without_calling_it(client: Client) -> None:
    await client.execute("Tally", "a", "add", {"amount": 5})
    assert await client.query("Tally", "a", "sum_of") == 5
    assert await client.aggregate(Tally, "a").query(Tally.sum_of()) == 5


async def test_the_same_command_id_gets_the_first_answer(either: Client) -> None:
    tally = either.aggregate(Tally, "a")
    given = uuid4()
    first = await tally.execute(Tally.add(5), command_id=given)
    again = await tally.execute(Tally.add(5), command_id=str(given))
    assert (first.replayed, again.replayed) == (False, True)
    assert (first.reply, first.position, first.token) == (again.reply, again.position, again.token)
    assert first.command_id == again.command_id == given
    with pytest.raises(CommandIdReused):
        await tally.execute(Tally.add(6), command_id=given)


async def test_a_business_key_executes_a_command_once(client: Client) -> None:
    tally = client.aggregate(Tally, "a")
    both = await asyncio.gather(
        *(tally.execute(Tally.add(5), command_id="add-of-17") for _ in range(20))
    )
    assert {5} == {each.reply for each in both}
    assert {command_id_for("add-of-17")} == {each.command_id for each in both}
    assert (await tally.state()).version == 1


async def test_conditions_are_checked(either: Client) -> None:
    tally = either.aggregate(Tally, "a")
    with pytest.raises(AggregateNotFound):
        await tally.execute(Tally.add(1), must_exist=True)
    assert (await tally.execute(Tally.add(1), expected_version=0)).version == 1
    with pytest.raises(AggregateExists) as exists:
        await tally.execute(Tally.add(1), must_exist=False)
    assert exists.value.actual == 1
    with pytest.raises(VersionConflict) as conflict:
        await tally.execute(Tally.add(1), expected_version=7)
    assert (
        conflict.value.aggregate_type,
        conflict.value.aggregate_id,
        conflict.value.expected,
        conflict.value.actual,
    ) == ("Tally", "a", 7, 1)
    with pytest.raises(ValueError, match="not both"):
        await tally.execute(Tally.add(1), expected_version=1, must_exist=True)
    with pytest.raises(AggregateNotFound):
        await either.aggregate(Tally, "none").state()


async def test_what_was_done_is_answered_again_where_its_conditions_no_longer_hold(
    either: Client,
) -> None:
    tally = either.aggregate(Tally, "a")
    first, second = uuid4(), uuid4()
    await tally.execute(Tally.add(1), expected_version=0, command_id=first)
    await tally.execute(Tally.add(1), command_id=second)
    at_once = await tally.execute(Tally.add(1), expected_version=0, command_id=first)
    absent = await tally.execute(Tally.add(1), must_exist=False, command_id=second)
    assert (at_once.replayed, absent.replayed) == (True, True)


async def test_a_refusal_has_its_reason_and_details(either: Client) -> None:
    with pytest.raises(Refused) as caught:
        await either.aggregate(Tally, "a").execute(Tally.add(-3))
    refused = caught.value
    assert (
        refused.aggregate_type,
        refused.reason,
        refused.message,
        refused.details,
        refused.outcome,
    ) == ("Tally", "NEGATIVE", "no", {"amount": "-3"}, Outcome.NOT_DONE)


async def test_errors_keep_their_fields(either: Client) -> None:
    with pytest.raises(UnknownCommand) as unknown:
        await either.execute("Tally", "a", "fly")
    assert unknown.value.command == "fly"
    with pytest.raises(UnknownAggregateType) as kind:
        await either.execute("Kite", "a", "fly")
    assert kind.value.aggregate_type == "Kite"
    with pytest.raises(InvalidRequest) as invalid:
        await either.execute("Tally", "a", "add", {"amount": "5"})
    assert "amount" in invalid.value.field
    with pytest.raises(LimitExceeded) as limit:
        await either.execute("Tally", "a", "burst", {"events": 2_000})
    assert limit.value.maximum == 1_000
    with pytest.raises(HandlerFailed) as failed:
        await either.execute("Tally", "a", "crash")
    assert failed.value.error_id
    assert "secret" not in str(failed.value)


async def test_arguments_that_the_signature_refuses_are_never_sent(client: Client) -> None:
    tally = client.aggregate(Tally, "a")
    with pytest.raises(InvalidArgument):
        await tally.execute(Tally.add("5"))  # type: ignore[arg-type]
    assert (await client.info()).head == 0


async def test_a_call_of_another_type_is_refused_here(client: Client) -> None:
    other: object = client.aggregate(Tally, "a")
    with pytest.raises(TypeError, match="asked of a Tally"):
        await other.execute(Kite.fly())  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "no_call", [Tally.add, Tally().add(5), "add"], ids=["uncalled", "instance", "name"]
)
async def test_what_is_no_call_is_refused_with_how_to_write_one(
    client: Client, no_call: Any
) -> None:
    with pytest.raises(TypeError, match=r"write Tally\.<name>\(<arguments>\), on the class"):
        await client.aggregate(Tally, "a").execute(no_call)


async def test_a_reply_that_this_code_cannot_decode_says_that_it_was_done(client: Client) -> None:
    with pytest.raises(UnreadableAnswer) as caught:
        await client.aggregate(OlderTally, "a").execute(OlderTally.add(5))
    assert (caught.value.outcome, caught.value.data) == (Outcome.DONE, b"5")
    assert (await client.state("Tally", "a")).version == 1


async def test_everything_said_of_a_command_is_with_its_events(either: Client) -> None:
    happened = datetime(2020, 2, 29, 12, 0, 0, 123_456, UTC)
    given = UUID(int=5)
    await either.execute(
        "Tally",
        "a",
        "add",
        {"amount": 1},
        command_id=given,
        correlation_id="order-1",
        causation_id="event-3",
        occurred_at=happened,
        metadata={"user_id": "u-1"},
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    )
    (written,) = [each async for each in either.read()]
    assert (given, "order-1", "event-3", happened) == (
        written.command_id,
        written.correlation_id,
        written.causation_id,
        written.occurred_at,
    )
    assert dict(written.metadata) == {"user_id": "u-1"}
    assert written.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def test_commands_of_one_aggregate_are_executed_in_the_order_asked(server: Server) -> None:
    async with connect(server.address, streams=3) as client:
        done = await asyncio.gather(
            *(client.aggregate(Tally, f"a-{n % 5}").execute(Tally.add(1)) for n in range(2_000))
        )
    for aggregate_number in range(5):
        versions = [each.version for each in done[aggregate_number::5]]
        assert versions == list(range(1, 401))
