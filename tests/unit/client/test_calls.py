"""What a caller without a type checker gets wrong is told before anything is sent."""

from typing import Any

import pytest
from tests.unit.domain.bank import BankAccount
from tests.unit.domain.test_decide import Odd

from gesta.client import connect

NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (BankAccount.deposit, r"not a call, but .*; write BankAccount\.<name>"),
        (BankAccount().deposit(5), "not a call"),
        (Odd.note("break"), "a call of Odd, asked of a BankAccount"),
    ],
)
async def test_what_is_no_call_of_the_aggregate_is_refused(call: Any, told: str) -> None:
    async with connect(NOWHERE) as client:
        with pytest.raises(TypeError, match=told):
            await client.aggregate(BankAccount, "acc-1").execute(call)


@pytest.mark.parametrize("call", [BankAccount.deposit, Odd.note("break")])
async def test_a_repository_decides_no_call_of_another_aggregate(call: Any) -> None:
    async with connect(NOWHERE) as client:
        repository = client.repository(BankAccount)
        nobody: Any = None
        with pytest.raises(TypeError, match="call"):
            repository.decide(nobody, call)


async def test_an_id_that_is_no_text_is_refused() -> None:
    number: Any = 5
    async with connect(NOWHERE) as client:
        with pytest.raises(TypeError, match="an aggregate's id is a str, not 5"):
            client.aggregate(BankAccount, number)
