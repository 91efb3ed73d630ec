"""What a package says it exports is what it has, and every error can be named by who catches it."""

import ast
import importlib
import inspect
from types import ModuleType

import pytest

import gesta.client
from gesta.client import errors

PUBLIC = [
    "gesta.client",
    "gesta.domain",
    "gesta.projection",
    "gesta.server",
    "gesta.store",
    "gesta.testing",
]


@pytest.mark.parametrize("name", PUBLIC)
def test_all_names_exactly_what_a_package_brings_in_or_defines(name: str) -> None:
    package = importlib.import_module(name)
    assert sorted(public_names(package)) == sorted(package.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_a_star_import_gives_what_all_names(name: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from {name} import *", namespace)
    assert set(importlib.import_module(name).__all__) == set(namespace) - {"__builtins__"}


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_exported_says_what_it_is(name: str) -> None:
    package = importlib.import_module(name)
    entries = {name: getattr(package, name) for name in package.__all__}
    texts = {
        name: entry.__doc__ or ""
        for name, entry in entries.items()
        if inspect.isclass(entry) or inspect.isroutine(entry)
    }
    made = [name for name, text in texts.items() if text.startswith(f"{name}(")]  # by dataclass
    assert made + [name for name, text in texts.items() if not text] == []


def test_every_error_of_the_client_is_exported() -> None:
    tree = {entry.__name__ for entry in descendants(errors.GestaError)} | {"GestaError"}
    assert len(tree) > 25
    assert tree - set(gesta.client.__all__) == set()


def public_names(package: ModuleType) -> list[str]:
    """The names that a package's own text takes from gesta or defines."""
    names: list[str] = []
    for node in ast.parse(inspect.getsource(package)).body:
        match node:
            case ast.ImportFrom(module=str(module)) if module.startswith("gesta."):
                names += [alias.asname or alias.name for alias in node.names]
            case ast.FunctionDef() | ast.ClassDef():
                names.append(node.name)
    return [name for name in names if not name.startswith("_")]


def descendants(root: type[errors.GestaError]) -> set[type[errors.GestaError]]:
    return {entry for child in root.__subclasses__() for entry in {child} | descendants(child)}
