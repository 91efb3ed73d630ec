"""The tree is laid out as CONTRIBUTING.md says: rooms, maps, markers, and the lengths of things."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = [ROOT / room / "gesta" for room in ("proto", "server", "client")]
PACKAGES = sorted(
    path.parent
    for parent in [*ROOMS, ROOT / "examples", ROOT / "benchmarks"]
    for path in parent.rglob("__init__.py")
)
MAPPED = [package for package in PACKAGES if package.name != "v1"]  # its modules are generated

FILE_LINES_AIM, FILE_LINES_MAX = 250, 400
FUNCTION_LINES_AIM, FUNCTION_LINES_MAX = 40, 70


def test_the_roots_of_the_namespace_are_not_packages() -> None:
    # With an __init__.py in one of them the wheel works and an editable install sees one room.
    assert [room for room in ROOMS if (room / "__init__.py").exists()] == []
    assert [room.parent for room in ROOMS if (room.parent / "__init__.py").exists()] == []


def test_every_package_of_the_namespace_is_marked_as_typed() -> None:
    packages = [package for package in PACKAGES if package.parent in ROOMS]
    assert len(packages) >= 7
    assert [package for package in packages if not (package / "py.typed").exists()] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for room in ROOMS for path in room.rglob("*.py")}
    assert sorted(folders - set(PACKAGES)) == []


@pytest.mark.parametrize("package", MAPPED, ids=lambda package: str(package.relative_to(ROOT)))
def test_a_package_docstring_is_the_map_of_its_modules(package: Path) -> None:
    text = ast.get_docstring(ast.parse((package / "__init__.py").read_text("utf-8"))) or ""
    assert_map(text, modules_of(package))


@pytest.mark.parametrize(
    ("text", "modules"),
    [
        ("A map.\n\nwriter  writes", {"writer", "reader"}),
        ("A map.\n\nwriter  writes\nreader  reads", {"writer"}),
        ("A map.\n\nwriter.py  writes; reader.py for the rest", {"writer"}),
        ("The writer and the reader.", {"writer", "reader"}),
    ],
)
def test_a_map_that_is_not_the_territory_is_found(text: str, modules: set[str]) -> None:
    with pytest.raises(AssertionError):
        assert_map(text, modules)


def test_no_file_is_longer_than_a_reader_can_hold() -> None:
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in sources()}
    report(lengths, FILE_LINES_AIM)
    assert [str(path) for path, lines in lengths.items() if lines > FILE_LINES_MAX] == []


def test_no_function_is_longer_than_a_screen() -> None:
    lengths = {
        f"{path.relative_to(ROOT)}:{function.lineno} {function.name}": body_lines(function)
        for path in sources()
        for function in functions_of(path)
    }
    report(lengths, FUNCTION_LINES_AIM)
    assert [name for name, lines in lengths.items() if lines > FUNCTION_LINES_MAX] == []


def sources() -> list[Path]:
    """Every Python file that people write."""
    rooms = ("server", "client", "examples", "benchmarks", "scripts", "tests")
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def modules_of(package: Path) -> set[str]:
    modules = {path.stem for path in package.glob("*.py")}
    subpackages = {path.parent.name for path in package.glob("*/__init__.py")}
    return (modules | subpackages) - {"__init__", "__main__"}


def assert_map(text: str, modules: set[str]) -> None:
    """A map's lines begin with one or more names, then two spaces; a name may open a clause."""
    lines = [line.strip() for line in text.splitlines()]
    entries = [line for line in lines if re.match(r"[\w./]+(, [\w./]+)* {2,}\S", line)]
    leading = {name for line in entries for name in re.split(", ", line.split("  ")[0])}
    said = {re.sub(r"(\.py|/)$", "", name) for name in leading}
    said |= set(re.findall(r"\b(\w+)\.py\b", text))
    assert sorted(said - modules - {"__main__"}) == []
    said |= set(re.findall(r"[;,] (\w+) ", " ".join(lines)))
    assert sorted(modules - said) == []


def functions_of(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """From `def` to the last line, without the docstring: to explain is not to be long."""
    assert function.end_lineno is not None
    lines = function.end_lineno - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is not None:
        assert first.end_lineno is not None
        lines -= first.end_lineno - first.lineno + 1
    return lines


def report(lengths: "dict[Path, int] | dict[str, int]", aim: int) -> None:
    """Shown by `pytest -s`: what is longer than we aim for, longest first."""
    for name, lines in sorted(lengths.items(), key=lambda item: -item[1]):
        if lines > aim:
            place = name.relative_to(ROOT) if isinstance(name, Path) else name
            print(f"{lines:4} {place}")  # noqa: T201 - it is the report
