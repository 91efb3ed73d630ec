"""Which names may be part of a contract. They are stored and sent, so they are fixed early."""

import re
from enum import StrEnum

from gesta.domain.errors import DefinitionError

NAME_CHARS_MAX = 100
_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9_.-]{{0,{NAME_CHARS_MAX - 1}}}")
_REASON = re.compile(r"[A-Z][A-Z0-9_]{1,61}[A-Z0-9]")
"""What AIP-193 asks of an ErrorInfo's reason, which is where a rejection's code goes."""

RESERVED_TYPE = "gesta"
"""No aggregate's: a refusal's error domain is the type, and this one is that of our own errors."""


def check_given(name: object, decorator: str) -> None:
    """Raises DefinitionError where the name was left out, and the class came in its place."""
    if isinstance(name, type):
        raise DefinitionError(name.__qualname__, f'write @{decorator}("{name.__name__}")')


def check_type_name(name: str, where: str) -> None:
    """The name of an aggregate type. Raises DefinitionError."""
    check_name(name, where)
    if name == RESERVED_TYPE:
        raise DefinitionError(where, f"the name {name!r} is the server's own")


def check_name(name: str, where: str) -> None:
    """The name of an event or aggregate type, as far as its form goes. Raises DefinitionError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise DefinitionError(
            where,
            f"the name {name!r} must be 1 to {NAME_CHARS_MAX} letters, digits, "
            "'_', '.' or '-', a letter first",
        )


def reasons_of(rejects: type[StrEnum], where: str) -> frozenset[str]:
    """The reasons a command declares. A member's name is its value: one spelling everywhere."""
    if not (isinstance(rejects, type) and issubclass(rejects, StrEnum)):
        raise DefinitionError(where, f"rejects must be a StrEnum, not {rejects!r}")
    for name, member in rejects.__members__.items():
        if name != member.value:
            raise DefinitionError(
                where, f'{rejects.__name__}.{name} is {member.value!r}; write {name} = "{name}"'
            )
        if not _REASON.fullmatch(name):
            raise DefinitionError(
                where, f"{rejects.__name__}.{name}: a reason is UPPER_SNAKE of 3 to 63 characters"
            )
    return frozenset(rejects.__members__)
