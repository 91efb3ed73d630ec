"""One version, one place: pyproject.toml; what else tells it agrees."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parents[2]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
SECTIONS = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)


def test_the_installed_version_is_the_one_of_the_project() -> None:
    assert version("gesta") == VERSION, "the environment is older than pyproject.toml: make setup"


def test_the_changelog_begins_with_what_is_not_released() -> None:
    assert SECTIONS[0] == "Unreleased"


def test_the_last_release_in_the_changelog_is_this_version() -> None:
    releases = [section.split(" - ")[0] for section in SECTIONS[1:]]
    assert releases[:1] in ([], [VERSION])


def test_the_changelog_says_what_was_added() -> None:
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(r"^## Unreleased\n\n### \w+\n\n- ", text, re.MULTILINE)
