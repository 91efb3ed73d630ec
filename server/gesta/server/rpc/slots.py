"""How many calls of a kind may be open at once."""

from types import TracebackType

from gesta.engine.errors import Overloaded


class Slots:
    """A context manager around each call of the kind; raises Overloaded on entering one too many.

    `limit` is the setting that says how many, `maximum` is its value.
    """

    def __init__(self, limit: str, maximum: int) -> None:
        self._limit = limit
        self._free = maximum

    def __enter__(self) -> None:
        if self._free <= 0:
            raise Overloaded(self._limit, 1_000)
        self._free -= 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._free += 1
