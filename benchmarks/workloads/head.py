"""Where a log stands."""

from gesta.client import connect


async def measure(address: str) -> dict[str, int]:
    async with connect(address) as client:
        return {"head": (await client.info()).head}
