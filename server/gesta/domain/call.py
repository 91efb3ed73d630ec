"""A command or query with its arguments, ready to be asked of some aggregate."""

from collections.abc import Mapping
from typing import Any, Generic, TypeVar, cast

from gesta.domain.contract import CommandType, HandlerType, QueryType

S_co = TypeVar("S_co", covariant=True)
R_co = TypeVar("R_co", covariant=True)


class _Asked(Generic[S_co, R_co]):
    __slots__ = ("arguments", "contract")

    contract: HandlerType

    def __init__(self, contract: Any, arguments: Mapping[str, object]) -> None:
        self.contract = contract
        self.arguments = arguments
        """By name, and only those given: a default is the server's to fill in."""

    @property
    def aggregate_type(self) -> str:
        return self.contract.aggregate_type

    @property
    def name(self) -> str:
        return self.contract.name

    def encode_arguments(self) -> bytes:
        """Raises InvalidArgument for a value the signature does not allow."""
        return self.contract.encode_arguments(self.arguments)

    def decode_reply(self, data: bytes) -> R_co:
        """Raises Malformed when the server runs another version of the contract."""
        return cast("R_co", self.contract.decode_reply(data))

    def __repr__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.aggregate_type}.{self.name}({given})"


class Call(_Asked[S_co, R_co]):
    """`BankAccount.deposit(500)`: a command for an aggregate with state S that replies R."""

    __slots__ = ()
    contract: CommandType


class QueryCall(_Asked[S_co, R_co]):
    """`BankAccount.statement()`: a query on state S that answers R."""

    __slots__ = ()
    contract: QueryType
