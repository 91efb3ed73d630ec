"""First commands on accounts that are not in memory: each is loaded, decided on and committed."""

import time
from typing import Any

from benchmarks.bank import Accounts, violations
from benchmarks.record import Base
from gesta.client import connect


async def measure(address: str, accounts: int, callers: int, base: list[int]) -> dict[str, Any]:
    """How many such commands a second, one for each account."""
    async with connect(address) as client:
        await client.info()  # the connection is not what is measured
        load = Accounts(client, "account", accounts, base=Base(*base))
        begun = time.perf_counter()
        await load.pay_in_once(callers)
        taken = time.perf_counter() - begun
        broken = await violations(client, load)
    return {"per_second": accounts / taken, "violations": broken}
