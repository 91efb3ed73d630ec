"""Reading what one wrote from what others project: waits, and the reports that end them."""

import asyncio
import logging
from collections.abc import Callable
from uuid import UUID

import pytest
from tests.integration.edge.tally import Ledger, Tally

from gesta.client import (
    Client,
    ClientClosed,
    GestaError,
    InvalidRequest,
    Options,
    OutOfRange,
    ProjectionReport,
    Reporter,
    RetryPolicy,
    SessionSuperseded,
    connect,
)
from gesta.domain.catalog import Catalog
from gesta.engine.limits import Limits
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server

LONG_S = 50.0
"""Longer than a test takes: a wait that ends has another reason."""
NEVER_S = 3_600.0
SESSION = UUID(int=1_000 << 80 | 7 << 76 | 2 << 62)


class Telling(Client):
    """Remembers which tokens were reported through it."""

    def __init__(self, server: Server, options: Options | None = None) -> None:
        super().__init__(server.address, options or Options())
        self.told: list[str] = []

    async def report_checkpoint(
        self, name: str, session: UUID, token: str, *, timeout_s: float | None = None
    ) -> float:
        self.told.append(token)
        return await super().report_checkpoint(name, session, token, timeout_s=timeout_s)


def server_with(limits: Limits) -> Server:
    config = Config(data=MEMORY, listen="127.0.0.1:0", limits=limits)
    return Server(config, catalog=Catalog.of(Tally, Ledger))


async def one_report(client: Client) -> ProjectionReport:
    """The only projection's, once it has reported."""
    while not (found := await client.list_projections()):
        pass
    (report,) = found
    return report


async def until(client: Client, condition: Callable[[], bool]) -> None:
    while not condition():
        await client.info()


async def written(client: Client, count: int = 1) -> list[str]:
    """Tokens of so many events."""
    tally = client.aggregate(Tally, "a")
    return [(await tally.execute(Tally.add(1))).token for _ in range(count)]


async def test_a_command_answers_once_its_projection_is_there(client: Client) -> None:
    tally = client.aggregate(Tally, "a")
    asked = asyncio.create_task(
        tally.execute(Tally.add(1), wait_for="accounts", wait_timeout_s=LONG_S)
    )
    while not (info := await client.info()).head:
        pass
    assert not asked.done()
    await client.report_checkpoint("accounts", SESSION, info.token)
    done = await asked
    assert (done.version, done.token, done.pending) == (1, info.token, ())


@pytest.mark.parametrize("batching", [True, False])
async def test_what_is_late_is_pending_and_the_command_is_done(
    server: Server, batching: bool
) -> None:
    async with connect(server.address, batching=batching) as client:
        names = ["accounts", "statements"]
        done = await client.execute(
            "Tally", "a", "add", {"amount": 1}, wait_for=names, wait_timeout_s=0
        )
        assert (done.reply, done.version, done.pending) == (1, 1, ("accounts", "statements"))
        await client.report_checkpoint("accounts", SESSION, done.token)
        assert await client.wait_for_projection(names, done.token, timeout_s=0) == ("statements",)
        plain = await client.execute("Tally", "a", "add", {"amount": 1})
        assert plain.pending == ()


async def test_a_command_s_own_time_is_enough_to_hear_that_it_is_done(client: Client) -> None:
    """The wait asked for is longer; the outcome must not be in doubt for it."""
    tally = client.aggregate(Tally, "a")
    done = await tally.execute(Tally.add(1), wait_for="a", wait_timeout_s=LONG_S, timeout_s=1.0)
    assert (done.version, done.pending) == (1, ("a",))


async def test_a_wait_of_less_than_nothing_is_refused_before_anything_is_sent(
    client: Client,
) -> None:
    with pytest.raises(ValueError, match="cannot take -1"):
        await client.execute("Tally", "a", "add", {"amount": 1}, wait_for="a", wait_timeout_s=-1)
    (token,) = await written(client)
    with pytest.raises(ValueError, match="cannot take -1"):
        await client.wait_for_projection("a", token, timeout_s=-1)


async def test_a_wait_goes_on_where_the_server_has_given_up() -> None:
    """Its own limit is shorter than what the caller has asked for."""
    async with (
        server_with(Limits(projection_wait_ms_max=1)) as server,
        connect(server.address) as client,
    ):
        first, second = await written(client, 2)
        await client.report_checkpoint("accounts", SESSION, first)
        waiting = asyncio.create_task(
            client.wait_for_projection("accounts", second, timeout_s=LONG_S)
        )
        await client.wait_for_projection("nobody", second, timeout_s=0.01)
        assert not waiting.done()
        await client.report_checkpoint("accounts", SESSION, second)
        assert await waiting == ()


async def test_a_token_of_another_log_is_an_error_and_no_wait(client: Client) -> None:
    (token,) = await written(client)
    ahead = f"{int(token[-16:], 16) + 1:016x}"
    with pytest.raises(OutOfRange):
        await client.wait_for_projection("accounts", token[:-16] + ahead)
    async with server_with(Limits()) as server, connect(server.address) as other:
        with pytest.raises(InvalidRequest):
            await other.wait_for_projection("accounts", token)


async def test_projections_are_listed_as_they_reported(client: Client) -> None:
    first, *_ = await written(client, 3)
    assert await client.report_checkpoint("accounts", SESSION, first) == 15.0
    report = await one_report(client)
    assert (report.name, report.position, report.lag_events) == ("accounts", 1, 2)
    assert (report.silent, report.session) == (False, SESSION)
    assert report.lag_seconds > 0
    assert report.reported_at.tzinfo is not None


async def test_a_reporter_tells_the_first_place_at_once_and_the_last_before_it_ends(
    server: Server,
) -> None:
    """Between them it would wait for ever; the places in between are passed over."""
    async with Telling(server) as client:
        tokens = await written(client, 5)
        async with Reporter(client, "accounts", interval_s=NEVER_S) as reporter:
            reporter.report(tokens[0])
            assert (await one_report(client)).position == 1
            for token in tokens[1:]:
                reporter.report(token)
                await client.info()  # there is time to tell it
        assert client.told == [tokens[0], tokens[-1]]
        assert (await one_report(client)).position == 5
        assert reporter.last_error is None


async def test_a_reporter_that_has_nothing_to_tell_says_nothing(server: Server) -> None:
    async with Telling(server) as client:
        async with Reporter(client, "accounts"):
            await written(client)
        assert client.told == []


async def test_a_reporter_gives_signs_of_life(server: Server) -> None:
    async with server_with(Limits(projection_silent_ms=30)) as quick, Telling(quick) as client:
        (token,) = await written(client)
        async with Reporter(client, "accounts", interval_s=0) as reporter:
            reporter.report(token)
            await until(client, lambda: len(client.told) == 5)
        assert set(client.told) == {token}


async def test_a_reporter_learns_that_a_newer_one_is_heard(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = await written(client, 2)
    async with Reporter(client, "accounts", interval_s=0) as older:
        older.report(tokens[1])
        assert (await one_report(client)).session == older.session
        async with Reporter(client, "accounts", interval_s=0) as newer:
            newer.report(tokens[0])
            while (await one_report(client)).session != newer.session:
                pass
            older.report(tokens[1])
            await until(client, lambda: older.superseded)
            assert not newer.superseded
        assert isinstance(older.last_error, SessionSuperseded)
        assert older.last_error.session == str(newer.session)
        assert older.session < newer.session
    assert (await one_report(client)).position == 1
    (warning,) = (each for each in caplog.records if each.levelno == logging.WARNING)
    assert str(newer.session) in warning.getMessage()


async def test_a_reporter_that_was_superseded_is_heard_again_after_the_newer_one() -> None:
    async with (
        server_with(Limits(projection_silent_ms=100)) as server,
        connect(server.address) as client,
    ):
        tokens = await written(client, 2)
        async with Reporter(client, "accounts", interval_s=0) as older:
            older.report(tokens[1])
            assert (await one_report(client)).session == older.session
            async with Reporter(client, "accounts", interval_s=0) as newer:
                newer.report(tokens[0])
                await until(client, lambda: older.superseded)
            await until(client, lambda: not older.superseded)
            assert (await one_report(client)).session == older.session


async def test_a_reporter_survives_a_server_that_is_gone_and_tells_it(server: Server) -> None:
    options = Options(retry=RetryPolicy(attempts_max=1))
    async with Telling(server, options) as client:
        tokens = await written(client, 2)
        async with Reporter(client, "accounts", interval_s=0) as reporter:
            reporter.report(tokens[0])
            await one_report(client)
            await server.stop()
            reporter.report(tokens[1])
            while reporter.last_error is None:
                with pytest.raises(GestaError):
                    await client.info()
        assert client.told[-1] == tokens[1]


async def test_a_reporter_ends_well_after_its_client(server: Server) -> None:
    async with Telling(server) as client:
        (token,) = await written(client)
        async with Reporter(client, "accounts") as reporter:
            await client.close()
            reporter.report(token)
    assert isinstance(reporter.last_error, ClientClosed)
