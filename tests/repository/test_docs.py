"""What the pages promise is there: files, targets, commands, settings."""

import ast
import asyncio
import functools
import inspect
import re
import subprocess
import sys
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from scripts import configuration_docs
from tests.repository.pages import PAGES, ROOT, blocks, links, quoted

from gesta.engine.limits import Limits
from gesta.server import Config

ROOMS = [ROOT / room / "gesta" for room in ("proto", "server", "client")]
PLACES = [ROOT, *ROOMS, *(ROOT / "server" / "gesta").iterdir()]
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


def page_name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    assert [link for link in links(page) if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    names = quoted(page, r"[\w.-]+/[\w./-]+\.(?:py|proto|md|toml|json|go|sh)")
    places = [*PLACES, page.parent]
    assert [name for name in names if not any((place / name).exists() for place in places)] == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_target_that_a_page_names_is_in_the_makefile(page: Path) -> None:
    shown = re.findall(r"^(?:\$ )?make ([a-z-]+)", "\n".join(blocks(page, "")), re.MULTILINE)
    named = {text.split()[1] for text in quoted(page, r"make [a-z-]+[^`]*")}
    assert sorted({*shown, *named} - TARGETS) == []


@pytest.mark.parametrize("page", PAGES, ids=page_name)
def test_every_command_that_a_page_names_is_one_of_gesta(page: Path) -> None:
    shown = re.findall(r"^(?:\$ )?gesta ([a-z][\w-]*)", "\n".join(blocks(page, "")), re.MULTILINE)
    named = {text.split()[1] for text in quoted(page, r"gesta [a-z][^`]*")}
    unknown = {name for name in {*shown, *named} if not known_to_gesta(name)}
    assert sorted(unknown) == []


def test_the_configuration_page_is_what_the_code_makes() -> None:
    assert configuration_docs.PAGE.read_text("utf-8") == configuration_docs.page()


def test_every_setting_has_its_line_with_default_and_reason() -> None:
    lines = {line.split("`")[1]: line for line in rows_of_the_page()}
    settings = [field.name for kind in (Config, Limits) for field in fields(kind)]
    assert sorted(lines) == sorted(name for name in settings if name != "limits")
    assert [name for name, line in lines.items() if not re.search(r"\| .{20,} \|$", line)] == []
    assert "| `commands_waiting_max` | 20,000 | `--commands-waiting-max` | " in "\n".join(
        lines.values()
    )


def test_a_setting_without_a_reason_cannot_be_written_down() -> None:
    with pytest.raises(ValueError, match=r"Bare\.unexplained"):
        configuration_docs.rows(Bare)  # type: ignore[arg-type]


async def test_the_configuration_page_s_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    for block in blocks(configuration_docs.PAGE, "python"):
        code = compile(block, "configuration.md", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, {})
        if inspect.iscoroutine(running):
            await asyncio.wait_for(running, timeout=30)
    assert re.fullmatch(r"127\.0\.0\.1:\d+\n", capsys.readouterr().out)


@dataclass
class Bare:
    explained: int = 1
    """It has a reason."""
    unexplained: int = 2


def rows_of_the_page() -> list[str]:
    lines = configuration_docs.PAGE.read_text("utf-8").splitlines()
    return [line for line in lines if line.startswith("| `")]


@functools.cache
def known_to_gesta(name: str) -> bool:
    run = subprocess.run(
        [sys.executable, "-m", "gesta.server", name, "--help"], capture_output=True, check=False
    )
    return run.returncode == 0
