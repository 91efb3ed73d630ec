"""gesta runs under every Python that it says it supports, as far as this machine has them.

By default the newest one that is not running these tests; GESTA_TEST_PYTHONS=all, which is
`make test-pythons`, for each.
"""

import os
import sys
import tomllib
from pathlib import Path

import pytest
from tests.repository.environments import ROOT, install, run
from tests.repository.pythons import find_python

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
SUPPORTED = [
    line.rpartition(" ")[2]
    for line in PROJECT["classifiers"]
    if line.startswith("Programming Language :: Python :: 3.")
]
RUNNING = "{}.{}".format(*sys.version_info[:2])
OTHERS = [version for version in SUPPORTED if version != RUNNING]
TOOLS = [
    line
    for line in PROJECT["optional-dependencies"]["dev"]
    if line.startswith(("asyncpg", "hypothesis", "pytest", "sqlalchemy"))
]
RUN_TIMEOUT_S = 300  # about 30 s where nothing else runs; this ends one that hangs

pytestmark = pytest.mark.slow


def test_the_oldest_python_is_the_one_that_is_required() -> None:
    assert PROJECT["requires-python"] == f">={SUPPORTED[0]}"
    assert len(SUPPORTED) > 1


@pytest.mark.parametrize("version", OTHERS)
def test_unit_and_contract_tests_pass_under(version: str, tmp_path: Path) -> None:
    python = find_python(version)
    if python is None:
        pytest.skip(f"no Python {version} here")
    newer = [other for other in OTHERS[OTHERS.index(version) + 1 :] if find_python(other)]
    if newer and os.environ.get("GESTA_TEST_PYTHONS") != "all":
        pytest.skip(f"`make test-pythons` runs it; here {newer[-1]} stands for all")
    installed = install(tmp_path / "venv", ROOT, *TOOLS, python=python)
    quick = ("-q", "-p", "no:cacheprovider", "-m", "not slow")
    tests = ("tests/unit", "tests/contract")
    said = run(installed, "-m", "pytest", *quick, *tests, cwd=ROOT, timeout_s=RUN_TIMEOUT_S)
    assert " passed" in said
