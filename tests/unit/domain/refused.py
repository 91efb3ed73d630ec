"""What the tests of refused definitions share."""

from collections.abc import Callable

import pytest

from gesta.domain import DefinitionError, event


@event("Happened")
class Happened:
    amount: int = 0


@event("Other")
class Other:
    pass


class NotAnEvent:
    pass


def refusal(define: Callable[[], object]) -> DefinitionError:
    with pytest.raises(DefinitionError) as caught:
        define()
    assert str(caught.value) == f"{caught.value.where}: {caught.value.what}"
    return caught.value
