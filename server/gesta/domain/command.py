"""@command and @query: methods of the state that are part of the contract.

Both are non-data descriptors. On an instance they are the method; on the class they are callable
and make a `Call`, without the leading Context, which only the server can give. Two subclasses
exist for that difference alone, and only type checkers tell them apart.
"""

from collections.abc import Callable, Generator
from enum import StrEnum
from types import MethodType
from typing import Any, Concatenate, Generic, ParamSpec, Protocol, TypeVar, overload

from gesta.domain.call import Call, QueryCall
from gesta.domain.context import Context
from gesta.domain.contract import CommandType, HandlerType, QueryType
from gesta.domain.errors import DefinitionError

E = TypeVar("E")
P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


class _Declared:
    """A handler in an aggregate's body; its contract is set when the aggregate is made."""

    contract: Any = None

    def __init__(self, handler: Callable[..., Any]) -> None:
        self.handler = handler
        self.__doc__ = handler.__doc__
        self.__name__ = handler.__name__

    def __get__(self, instance: Any, owner: type[object]) -> Any:
        return self if instance is None else MethodType(self.handler, instance)

    def _bound(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(self.contract, HandlerType):
            raise DefinitionError(
                self.handler.__qualname__, "its class has no @aggregate, so it cannot be called"
            )
        contract = self.contract
        arguments = dict(zip(contract.positional, args, strict=False)) | kwargs
        if len(arguments) == len(args) + len(kwargs) and (
            contract.required <= arguments.keys() <= contract.parameters
        ):  # Signature.bind comes to the same, in twice the time.
            return arguments
        try:
            return contract.signature.bind(*args, **kwargs).arguments
        except TypeError as error:
            expected = ", ".join(contract.signature.parameters)
            raise TypeError(f"{self.handler.__qualname__}({expected}): {error}") from None


class Command(_Declared, Generic[S, P, R]):
    """A command of state S with parameters P and reply R."""

    contract: CommandType

    def __init__(self, handler: Callable[..., Any], rejects: type[StrEnum] | None = None) -> None:
        super().__init__(handler)
        self.rejects = rejects

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Call[S, R]:
        """Raises TypeError for arguments that the signature does not have."""
        return Call(self.contract, self._bound(args, kwargs))


class Query(_Declared, Generic[S, P, R]):
    """A query on state S with parameters P and answer R."""

    contract: QueryType

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> QueryCall[S, R]:
        """Raises TypeError for arguments that the signature does not have."""
        return QueryCall(self.contract, self._bound(args, kwargs))


class PlainCommand(Command[S, P, R], Generic[S, P, R, E]):
    """A command without Context, as a type checker sees it."""

    @overload
    def __get__(self, instance: None, owner: type[object]) -> Command[S, P, R]: ...
    @overload
    def __get__(self, instance: S, owner: type[object]) -> Callable[P, Generator[E, S, R]]: ...
    def __get__(self, instance: S | None, owner: type[object]) -> Any:
        return super().__get__(instance, owner)


class ContextCommand(Command[S, P, R], Generic[S, P, R, E]):
    """A command with a leading Context, as a type checker sees it."""

    @overload
    def __get__(self, instance: None, owner: type[object]) -> Command[S, P, R]: ...
    @overload
    def __get__(
        self, instance: S, owner: type[object]
    ) -> Callable[Concatenate[Context, P], Generator[E, S, R]]: ...
    def __get__(self, instance: S | None, owner: type[object]) -> Any:
        return super().__get__(instance, owner)


class PlainQuery(Query[S, P, R]):
    """A query without Context, as a type checker sees it."""

    @overload
    def __get__(self, instance: None, owner: type[object]) -> Query[S, P, R]: ...
    @overload
    def __get__(self, instance: S, owner: type[object]) -> Callable[P, R]: ...
    def __get__(self, instance: S | None, owner: type[object]) -> Any:
        return super().__get__(instance, owner)


class ContextQuery(Query[S, P, R]):
    """A query with a leading Context, as a type checker sees it."""

    @overload
    def __get__(self, instance: None, owner: type[object]) -> Query[S, P, R]: ...
    @overload
    def __get__(self, instance: S, owner: type[object]) -> Callable[Concatenate[Context, P], R]: ...
    def __get__(self, instance: S | None, owner: type[object]) -> Any:
        return super().__get__(instance, owner)


class CommandDecorator(Protocol):
    """What `@command(rejects=...)` is, before it meets the method."""

    @overload
    def __call__(
        self, handler: Callable[Concatenate[S, Context, P], Generator[E, S, R]], /
    ) -> ContextCommand[S, P, R, E]: ...
    @overload
    def __call__(
        self, handler: Callable[Concatenate[S, P], Generator[E, S, R]], /
    ) -> PlainCommand[S, P, R, E]: ...


@overload
def command(
    handler: Callable[Concatenate[S, Context, P], Generator[E, S, R]], /
) -> ContextCommand[S, P, R, E]: ...
@overload
def command(
    handler: Callable[Concatenate[S, P], Generator[E, S, R]], /
) -> PlainCommand[S, P, R, E]: ...
@overload
def command(*, rejects: type[StrEnum]) -> CommandDecorator: ...
def command(handler: Any = None, /, *, rejects: type[StrEnum] | None = None) -> Any:
    """Makes a generator method a command. Its signature is the contract.

    `rejects` lists the reasons it may give; raising any other is a bug. What cannot be a contract
    is refused by @aggregate, when the class is made.
    """
    if handler is not None:
        return Command(handler)
    return lambda method: Command(method, rejects)


@overload
def query(handler: Callable[Concatenate[S, Context, P], R], /) -> ContextQuery[S, P, R]: ...
@overload
def query(handler: Callable[Concatenate[S, P], R], /) -> PlainQuery[S, P, R]: ...
def query(handler: Any, /) -> Any:
    """Makes a plain method a query: it reads the state, takes no turn, and writes nothing."""
    return Query(handler)
