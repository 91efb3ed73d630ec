"""When a peer counts as gone. Of several silences the shortest always ends first."""

import asyncio
from collections.abc import Callable

from gesta.client.silence import Silence


class Ends:
    """In which order silences ended."""

    def __init__(self) -> None:
        self.order: list[str] = []
        self._more = asyncio.Event()

    def note(self, name: str) -> Callable[[], None]:
        def ended() -> None:
            self.order.append(name)
            self._more.set()

        return ended

    async def until(self, name: str) -> list[str]:
        """What has ended when this one has."""
        async with asyncio.timeout(60):
            while name not in self.order:
                self._more.clear()
                await self._more.wait()
        return self.order


async def test_silences_end_in_their_order() -> None:
    ends = Ends()
    for name, seconds in (("long", 0.03), ("short", 0.01)):
        Silence(seconds, ends.note(name)).listen()
    assert await ends.until("long") == ["short", "long"]


async def test_nobody_counts_as_gone_while_nobody_listens() -> None:
    ends = Ends()
    resting = Silence(0.01, ends.note("resting"))
    resting.listen()
    resting.heard()
    Silence(0.05, ends.note("listening")).listen()
    assert await ends.until("listening") == ["listening"]
    resting.stop()


async def test_what_is_heard_begins_the_silence_anew() -> None:
    ends = Ends()
    renewed = Silence(0.02, ends.note("renewed"))
    renewed.listen()
    note = ends.note("news")

    def news() -> None:
        note()
        renewed.heard()
        renewed.listen()

    Silence(0.01, news).listen()
    Silence(0.025, ends.note("as long as it was")).listen()
    assert await ends.until("renewed") == ["news", "as long as it was", "renewed"]
