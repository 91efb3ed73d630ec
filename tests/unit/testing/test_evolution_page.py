"""The code on the page about changing events is code that runs."""

from types import ModuleType

import pytest
from tests.repository.pages import ROOT, module_of

from gesta.domain.aggregate import AggregateType
from gesta.domain.catalog import Catalog

PAGE = ROOT / "docs" / "evolution.md"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The page as a module, so that upcasters are found in it; its examples have passed."""
    return module_of(PAGE, monkeypatch)


def test_the_page_s_examples_hold(page: ModuleType) -> None:
    kind: AggregateType = Catalog.of(page.BankAccount).types["BankAccount"]
    assert kind.stored_types_of("FeeCharged") == {"FeeCharged", "ChargedWithdrawal"}
    retired = {"CashPaidIn", "ChargedWithdrawal", "StatementPrinted"}
    assert set(kind.evolution.current_types) - set(kind.events) == retired
