"""@upcast: one step from an old payload to the events that say the same today."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, TypeVar

import msgspec

from gesta.domain.errors import DefinitionError
from gesta.domain.event import SCHEMA_VERSION_MAX
from gesta.domain.names import check_name


@dataclass(frozen=True, slots=True)
class Upcast:
    """One event that an upcaster gives, by its type; which version that is stands in `into`."""

    event_type: str
    payload: Mapping[str, Any]


Upcasting: TypeAlias = Callable[[dict[str, Any]], Sequence[Mapping[str, Any] | Upcast]]
F = TypeVar("F", bound=Upcasting)


def upcast(
    event_type: str, *, from_version: int, into: Mapping[str, int] | None = None
) -> Callable[[F], F]:
    """Makes a function the one that reads `event_type` as it was stored at `from_version`.

    It gets the payload as decoded JSON, a copy that it may change, and returns a list of what the
    event is today, in order; an empty one drops it. Left out, `into` means the next version of the
    same type, and each item is a payload. Otherwise it names every type that the list may hold
    with the version of its payload, `{}` for none; items of another type are `Upcast(type,
    payload)`. The function must depend on its payload alone: it runs whenever the event is read.

    The aggregate finds it in the modules of its own class and of its events, or is given it by
    `@aggregate(..., upcasters=[...])`. Raises DefinitionError for what could not be a step.
    """

    def decorate(function: F) -> F:
        step = Upcaster(event_type, from_version, into, function)
        function.__gesta_upcasts__ = (*steps_of(function), step)  # type: ignore[attr-defined]
        return function

    return decorate


class Part(NamedTuple):
    """What one step gave: a payload of some type and version, as its bytes say it."""

    event_type: str
    schema_version: int
    payload: Any
    data: bytes


class Upcaster:
    """One step: from one version of one event type to what its function makes of it."""

    __slots__ = ("event_type", "from_version", "function", "into", "where")

    def __init__(
        self,
        event_type: str,
        from_version: int,
        into: Mapping[str, int] | None,
        function: Upcasting,
    ) -> None:
        self.where = _check_function(function)
        """The function, as errors name it."""
        _check(event_type, from_version, self.where)
        if into is not None and not isinstance(into, Mapping):
            raise DefinitionError(self.where, f"into is {{type: version}}, not {into!r}")
        self.event_type = event_type
        self.from_version = from_version
        self.function = function
        self.into = {event_type: from_version + 1} if into is None else dict(into)
        for name, version in self.into.items():
            _check(name, version, self.where)

    def apply(self, payload: Any) -> list[Part]:
        """The payload is the function's to change. Raises whatever it raises, and TypeError or
        ValueError for what it should not have returned."""
        given = self.function(payload)
        if not isinstance(given, list | tuple):
            raise TypeError(f"it returned {_kind(given)}, not a list of payloads")
        return [self._part(item) for item in given]

    def _part(self, item: Any) -> Part:
        if isinstance(item, Upcast):
            name, payload = item.event_type, item.payload
        else:
            name, payload = self._own_target(), item
        if name not in self.into:
            raise ValueError(f"it gave {name!r}, which its `into` does not name")
        if not isinstance(payload, Mapping):
            raise TypeError(f"it gave {_kind(payload)} where a payload or an Upcast should stand")
        data = _encode(payload)
        # Decoded again, so that no two parts share what the next step may change.
        seen = _decode(data)
        if seen != payload:
            raise ValueError(f"{name!r} is not plain JSON: {payload!r} is read back as {seen!r}")
        return Part(name, self.into[name], seen, data)

    def _own_target(self) -> str:
        """The type of a payload that stands alone: the step's own, or the only one there is."""
        if self.event_type in self.into:
            return self.event_type
        if len(self.into) != 1:
            raise ValueError("it gave a payload without a type; write Upcast(type, payload)")
        return next(iter(self.into))

    def __repr__(self) -> str:
        return f"<upcaster {self.where} of {self.event_type} version {self.from_version}>"


def steps_of(function: object) -> tuple[Upcaster, ...]:
    """The steps made by @upcast on this function, none for anything else."""
    found = getattr(function, "__gesta_upcasts__", ()) if inspect.isfunction(function) else ()
    return found if isinstance(found, tuple) else ()


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def _check(event_type: str, version: object, where: str) -> None:
    check_name(event_type, f"@upcast on {where}")
    if not isinstance(version, int) or not 1 <= version <= SCHEMA_VERSION_MAX:
        raise DefinitionError(where, f"version {version!r} of {event_type} must be 1 or more")


def _check_function(function: Any) -> str:
    if not inspect.isfunction(function):
        raise DefinitionError(f"@upcast on {function!r}", "an upcaster is a plain function")
    where = f"{function.__module__}.{function.__qualname__}"
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise DefinitionError(where, "an upcaster returns a list: no yield, no await")
    try:
        inspect.signature(function).bind({})
    except TypeError as error:
        raise DefinitionError(where, f"an upcaster takes the old payload: {error}") from error
    return where


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__qualname__}"
