"""The pages that people read, taken apart."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")]
)


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language, "" for those that name none, in order."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    return [text for named, text in found if named == language]


def module_of(page: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page's Python as a module that can be found by its name; what it asserts has held."""
    module = ModuleType(f"{page.stem}_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks(page, "python"):
        exec(compile(block, page.name, "exec"), vars(module))
    return module


def links(page: Path) -> list[str]:
    """Where a page points to within the repository, without the anchors."""
    found = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    return [link.split("#")[0] for link in found if "://" not in link and not link.startswith("#")]


def quoted(page: Path, pattern: str) -> set[str]:
    """What stands in backticks and matches in full."""
    return set(re.findall(rf"`({pattern})`", page.read_text("utf-8")))
