"""Tests have the same ids in every process, or they could not be shared among several."""

import os
import subprocess
import sys

import pytest
from tests.repository.environments import ROOT

HASH_SEEDS = ("1", "3")
"""Sets print in an order that depends on them."""

pytestmark = pytest.mark.slow


def test_tests_are_named_the_same_in_every_process() -> None:
    one, other = (collected(seed) for seed in HASH_SEEDS)
    assert len(one) > 1_000
    assert set(one) ^ set(other) == set()
    assert one == other


def collected(hash_seed: str) -> list[str]:
    """The ids of all tests, as one process finds them."""
    done = subprocess.run(
        (sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"),
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [line for line in done.stdout.splitlines() if "::" in line]
