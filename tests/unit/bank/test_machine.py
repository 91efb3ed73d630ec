"""The bank account under any commands in any order."""

from examples.bank import BankAccount
from hypothesis import settings
from hypothesis import strategies as st

from gesta.testing import machine

# Small amounts meet each other: an account is emptied, overdrawn and closed, not only filled.
AMOUNT = {"amount": st.integers(-2, 5)}

Machine = machine(
    BankAccount,
    open={"initial_deposit": st.integers(-1, 5), "overdraft_limit": st.integers(-1, 5)},
    deposit=AMOUNT,
    withdraw=AMOUNT,
    charge_fee=AMOUNT,
    adjust_rounding=AMOUNT,
)

TestBankAccount = Machine.TestCase
TestBankAccount.settings = settings(max_examples=50, derandomize=True, deadline=None)
