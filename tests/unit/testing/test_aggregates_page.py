"""The code on the page about writing aggregates is code that runs, its tests among it."""

import unittest
from types import ModuleType

import pytest
from tests.repository.pages import ROOT, module_of

from gesta.domain.catalog import Catalog

PAGE = ROOT / "docs" / "aggregates.md"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page as a module; its scenarios have passed."""
    return module_of(PAGE, monkeypatch)


def test_the_page_s_aggregate_can_be_hosted(page: ModuleType) -> None:
    order = Catalog.of(page.Order).types["Order"]
    assert set(order.commands) == {"add", "place"}
    assert set(order.queries) == {"receipt"}


def test_the_page_s_machine_finds_nothing(page: ModuleType) -> None:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(page.TestOrder).run(result)
    assert result.testsRun == 1
    assert result.errors == []
    assert result.failures == []
