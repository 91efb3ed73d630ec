"""One server for all tests that only speak to it; each uses aggregates of its own."""

from collections.abc import Iterator

import pytest
from tests.integration.cli.command import Gesta, served


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gesta]:
    with served(tmp_path_factory.mktemp("bank"), "examples.bank") as server:
        yield server.gesta


@pytest.fixture(scope="session")
def trouble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gesta]:
    with served(tmp_path_factory.mktemp("trouble"), "tests.integration.cli.trouble") as server:
        yield server.gesta
