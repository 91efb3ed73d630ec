"""A server, a client and a log in memory, in one process: prints what came back."""

import asyncio

from counter import Counter

from gesta.client import connect
from gesta.server import Config, Server


async def main() -> None:
    config = Config(data=":memory:", listen="127.0.0.1:0", target="counter.py")
    async with Server(config) as server, connect(server.address) as client:
        counter = client.aggregate(Counter, "c")
        await counter.execute(Counter.count(2))
        done = await counter.execute(Counter.count(3))
        total: int = done.reply
        print(total, done.version, done.position)


asyncio.run(main())
