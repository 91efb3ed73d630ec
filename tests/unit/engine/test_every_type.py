"""A replay sees what the live aggregate saw, in every type that has an encoding."""

from dataclasses import replace
from typing import Any

import pytest
from tests.unit.domain.test_encodings import CASES
from tests.unit.engine.harness import Running
from tests.unit.engine.held_store import HeldStore
from tests.unit.engine.tally import ask
from tests.unit.engine.test_snapshots import Kept

from gesta.domain import Decision, aggregate, command, event, query
from gesta.domain.catalog import Catalog
from gesta.engine.limits import Limits
from gesta.store.memory import MemoryStore

VALUES = {name: value for name, _, value in CASES}

Everything: Any = event("Everything")(
    type("Everything", (), {"__annotations__": {name: kind for name, kind, _ in CASES}})
)


@aggregate("Tally", snapshot_every=2)
class Seen:
    """What its evolve saw, with the classes and digits of all parts; and the last of it."""

    total: int = 0
    told: str = ""
    last: Everything | None = None

    def evolve(self, event: Everything) -> "Seen":
        return replace(self, told=self.told + repr(event), last=event)

    @command
    def see(self) -> Decision[Everything, "Seen", str]:
        after = yield Everything(**VALUES)
        return after.shown()

    @query
    def shown(self) -> str:
        return f"{self.told} {self.last!r}"


@pytest.mark.parametrize(
    ("times", "snapshots"), [(1, []), (5, [2, 4])], ids=["no snapshot", "a snapshot and more"]
)
async def test_g8_a_replay_sees_what_the_live_one_saw(times: int, snapshots: list[int]) -> None:
    run = Running(HeldStore(MemoryStore()), Limits(snapshot_events_min=2), Catalog.of(Seen))
    run.kept = kept = Kept()
    await run.start()
    for _ in range(times):
        await run.tell("a", ask("see")).accepted()
    live = await run.engine.reads.query("Tally", "a", "shown", b"{}", "anonymous")
    assert live.data.count(b"Everything(") == times + 1
    await kept.has(*snapshots)
    await run.restart()
    assert await run.engine.reads.query("Tally", "a", "shown", b"{}", "anonymous") == live
    await run.stop()
