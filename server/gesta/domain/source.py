"""What can be seen in an author's source: events nobody handles, reasons nobody declared.

A convenience at import. Where there is no source (a REPL, a frozen application), or where a name
in it cannot be resolved, nothing is said; the same mistakes are then met when they happen.
"""

import ast
import builtins
import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import suppress
from enum import Enum
from typing import Any

from gesta.domain.contract import CommandType
from gesta.domain.errors import DefinitionError
from gesta.domain.rejection import Rejected

UNKNOWN = object()


def check_evolve(cls: type, evolve: Callable[..., Any], events: tuple[type, ...]) -> None:
    """Raises DefinitionError for an event that evolve's `match` has no case for."""
    body = _parsed(evolve)
    if body is None:
        return
    event = list(inspect.signature(evolve).parameters)[1]
    names = _names(evolve, cls)
    handled: list[object] = []
    matched = False
    for node in ast.walk(body):
        if isinstance(node, ast.Match) and _is_name(node.subject, event):
            matched = True
            for case in node.cases:
                handled.extend(_classes(case, names))
        if isinstance(node, ast.Call) and _is_name(node.func, "isinstance"):
            handled.extend(_resolve(each, names) for each in _tested(node))
    if not matched or UNKNOWN in handled:
        return
    for each in events:
        if each not in handled:
            raise DefinitionError(
                f"{cls.__qualname__}.evolve", f"no case handles {each.__qualname__}"
            )


def check_rejections(cls: type, command: CommandType) -> None:
    """Raises DefinitionError for `Rejected(X)` where X is no reason that the command declares."""
    body = _parsed(command.handler)
    if body is None:
        return
    names = _names(command.handler, cls)
    for node in ast.walk(body):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        if _resolve(node.func, names) is not Rejected:
            continue
        reason = _resolve(node.args[0], names)
        if reason is not UNKNOWN and str(reason) not in command.rejects:
            raise DefinitionError(
                f"{cls.__qualname__}.{command.name}",
                f"it rejects with {str(reason)!r}, which its `rejects` does not declare",
            )


def _parsed(function: Callable[..., Any]) -> ast.AST | None:
    try:
        return ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return None


def _names(function: Any, cls: type) -> dict[str, object]:
    """What the function's free names stand for, as far as they are bound yet."""
    free = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        with suppress(ValueError):  # an empty cell: the class itself, still being made
            free[name] = cell.cell_contents
    names = {**vars(builtins), **function.__globals__, **free, cls.__name__: cls}
    for local in function.__code__.co_varnames:  # an argument hides a global of its name
        names.pop(local, None)
    return names


def _classes(case: ast.match_case, names: dict[str, object]) -> Iterator[object]:
    """The classes a case lets in. A wildcard lets in all, unless it only raises."""
    if _lets_in_all(case.pattern):
        if not _only_fails(case.body):
            yield UNKNOWN
        return
    for node in ast.walk(case.pattern):
        if isinstance(node, ast.MatchClass):
            yield _resolve(node.cls, names)


def _lets_in_all(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=inner):
            return inner is None or _lets_in_all(inner)
        case ast.MatchOr(patterns=alternatives):
            return any(_lets_in_all(each) for each in alternatives)
    return False


def _only_fails(body: list[ast.stmt]) -> bool:
    match body:
        case [ast.Raise()]:
            return True
        case [ast.Expr(value=ast.Call(func=function))]:
            return _last_name(function) == "assert_never"
    return False


def _last_name(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def _tested(call: ast.Call) -> list[ast.expr]:
    tested = call.args[1] if len(call.args) == 2 else call
    return tested.elts if isinstance(tested, ast.Tuple) else [tested]


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _resolve(node: ast.expr, names: dict[str, object]) -> object:
    """The object a dotted name or a string stands for, or UNKNOWN."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.Name(id=name):
            return names.get(name, UNKNOWN)
        case ast.Attribute(value=inner, attr=name):
            owner = _resolve(inner, names)
            if isinstance(owner, type) and issubclass(owner, Enum):
                # A member that does not exist is a mistake to report, not a thing unknown.
                return owner.__members__.get(name, name)
            return UNKNOWN if owner is UNKNOWN else getattr(owner, name, UNKNOWN)
    return UNKNOWN
