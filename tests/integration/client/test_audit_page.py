"""docs/audit.md: its code reacts to an event as the page says."""

from typing import Any

from examples.bank import BankAccount
from tests.repository.pages import ROOT, blocks

from gesta.client import connect
from gesta.domain.catalog import Catalog
from gesta.server.config import MEMORY, Config
from gesta.server.process import Server


async def test_a_reaction_belongs_where_its_cause_does() -> None:
    (code,) = blocks(ROOT / "docs" / "audit.md", "python")
    page: dict[str, Any] = {}
    exec(compile(code, "audit.md", "exec", dont_inherit=True), page)
    config = Config(data=MEMORY, listen="127.0.0.1:0")
    async with (
        Server(config, catalog=Catalog.of(BankAccount)) as server,
        connect(server.address) as client,
    ):
        opening = await client.execute("BankAccount", "a", "open", {"initial_deposit": 1})
        (opened,) = [event async for event in client.read()]
        await page["greet"](client, opened)
        *_, gift = [event async for event in client.read()]
        assert gift.payload["amount"] == 100
        assert gift.correlation_id == str(opening.command_id)
        assert gift.causation_id == str(opened.event_id)
