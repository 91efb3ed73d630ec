"""`gesta trace`, about an order that led to two more commands."""

import asyncio
import json
from uuid import UUID

import pytest
from tests.integration.cli.command import Gesta

from gesta.client import Client, Event, connect

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
Chain = tuple[UUID, UUID, UUID]


@pytest.fixture(scope="module")
def chain(bank: Gesta) -> Chain:
    """An account is opened, which has a second one opened, which has the first one paid into."""

    async def last(client: Client, account: str) -> Event:
        return [event async for event in client.read(("BankAccount", account))][-1]

    async def work() -> Chain:
        async with connect(bank.address) as client:
            first = await client.execute(
                *("BankAccount", "traced-1", "open", {"initial_deposit": 100}),
                metadata={"user_id": "eve"},
                traceparent=TRACE,
            )
            second = await client.execute(
                *("BankAccount", "traced-2", "open", {"initial_deposit": 50}),
                caused_by=await last(client, "traced-1"),
            )
            third = await client.execute(
                *("BankAccount", "traced-1", "deposit", {"amount": 7}),
                caused_by=await last(client, "traced-2"),
            )
            return first.command_id, second.command_id, third.command_id

    return asyncio.run(work())


def test_a_trace_is_a_tree_of_commands_and_events(bank: Gesta, chain: Chain) -> None:
    first = chain[0]
    told = bank("trace", str(first))
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0] == f"correlation {first}"
    commands = [line for line in lines if line.lstrip().startswith("command ")]
    assert [line.split()[1] for line in commands] == [str(each) for each in chain]
    indents = [len(line) - len(line.lstrip()) for line in commands]
    assert indents == [0, 4, 8]
    assert "by eve" in commands[0]
    assert commands[0].endswith("trace 4bf92f3577b34da6a3ce929d0e0e4736")
    assert lines[-1].startswith(" " * 10)
    assert "BankAccount/traced-1" in lines[-1]
    assert "MoneyDeposited" in lines[-1]


def test_a_command_is_traced_in_the_correlation_it_belongs_to(bank: Gesta, chain: Chain) -> None:
    first, second, third = chain
    of_first = bank("trace", str(first)).stdout
    assert bank("trace", str(third)).stdout == of_first
    assert bank("trace", second.hex.upper()).stdout == of_first


def test_a_trace_in_json_says_what_caused_what(bank: Gesta, chain: Chain) -> None:
    first, second, _ = chain
    told = json.loads(bank("trace", str(first), "--json").stdout)
    assert (told["correlation_id"], told["complete"]) == (str(first), True)
    commands = told["commands"]
    assert [each["command_id"] for each in commands] == [str(each) for each in chain]
    assert [each["depth"] for each in commands] == [0, 1, 2]
    assert [each["caused_by_command"] for each in commands] == [None, str(first), str(second)]
    assert commands[1]["caused_by_event"] == commands[0]["events"][-1]["event_id"]
    assert commands[2]["events"][0]["data"]["amount"] == 7
    assert commands[0]["traceparent"] == TRACE


def test_a_trace_is_cut_at_its_limit_and_says_so(bank: Gesta, chain: Chain) -> None:
    told = bank("trace", str(chain[0]), "--limit", "1")
    assert told.returncode == 0
    assert len(told.stdout.splitlines()) == 3
    assert told.stderr == "there is more: these are the first 1 events (--limit)\n"
    assert not json.loads(bank("trace", str(chain[0]), "--limit", "1", "--json").stdout)["complete"]


@pytest.mark.parametrize(
    ("name", "code", "reason"),
    [
        (str(UUID(int=1)), 5, "NOT_FOUND"),
        ("order-1", 5, "NOT_FOUND"),
        ("", 2, "BAD_INPUT"),
        ("x" * 129, 2, "INVALID_REQUEST"),
    ],
)
def test_what_nothing_belongs_to_is_not_found(
    bank: Gesta, name: str, code: int, reason: str
) -> None:
    told = bank("trace", name)
    assert (told.returncode, told.stdout) == (code, "")
    assert told.stderr.startswith(f"gesta: {reason}: ")
