"""The room itself: pure, its errors drawn as they are, its exports as they are."""

import inspect
import subprocess
import sys

import gesta.domain
from gesta.domain import errors

FOREIGN = ("asyncio", "grpc", "sqlite3", "aiosqlite", "hypothesis", "gesta.store", "gesta.engine")


def test_nothing_of_the_outside_is_imported() -> None:
    code = (
        "import sys, gesta.domain, gesta.domain.catalog, gesta.domain.decide, "
        "gesta.domain.describe, gesta.testing\n"
        "print(*sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "gesta.domain.decide" in loaded
    assert loaded.isdisjoint(FOREIGN)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    drawn: dict[str, str] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        name = line.lstrip(" │├└─").split(" ")[0]
        found = getattr(errors, name, None) if name else None
        if isinstance(found, type):
            depth = line.index(name)
            above = [each for each in above if each[0] < depth]
            drawn[name] = above[-1][1] if above else "Exception"
            above.append((depth, name))
    classes = {
        name: found.__bases__[0].__name__
        for name, found in vars(errors).items()
        if inspect.isclass(found)
    }
    assert drawn == classes


def test_what_is_exported_exists_once() -> None:
    exported = gesta.domain.__all__
    assert len(exported) == len(set(exported))
    assert all(hasattr(gesta.domain, name) for name in exported)
