"""The code on the page about changing events is code that runs."""

import sys
from types import ModuleType

import pytest
from tests.repository.pages import ROOT, blocks

from gesta.domain.aggregate import AggregateType
from gesta.domain.catalog import Catalog

PAGE = ROOT / "docs" / "evolution.md"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page as a module, so that upcasters are found in it; its examples have passed."""
    module = ModuleType("evolution_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for block in blocks(PAGE, "python"):
        exec(compile(block, PAGE.name, "exec"), vars(module))
    return module


def test_the_page_s_examples_hold(page: ModuleType) -> None:
    kind: AggregateType = Catalog.of(page.BankAccount).types["BankAccount"]
    assert kind.stored_types_of("FeeCharged") == {"FeeCharged", "ChargedWithdrawal"}
    retired = {"CashPaidIn", "ChargedWithdrawal", "StatementPrinted"}
    assert set(kind.evolution.current_types) - set(kind.events) == retired
