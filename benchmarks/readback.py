"""The log read back from its beginning by a subscriber, as objects of the ordinary client."""

import time

from gesta.client import Client


async def measure(client: Client, events_max: int) -> tuple[int, float]:
    """How many events came, at most that many, and how many a second, until caught up."""
    seen = 0
    begun = time.perf_counter()
    async with client.subscribe() as subscription:
        async for batch in subscription.batches():
            for event in batch.events:
                seen += 1
                assert event.position == seen, "a gap or a double"
            if subscription.caught_up or seen >= events_max:
                break
    return seen, seen / (time.perf_counter() - begun)
