"""G8: whatever a state is made of, an answer is the same with a snapshot and without."""

from collections.abc import Callable, Mapping
from dataclasses import field, replace

import pytest
from tests.unit.engine.harness import Running
from tests.unit.engine.held_store import HeldStore
from tests.unit.engine.tally import ask
from tests.unit.engine.test_snapshots import Kept

from gesta.domain import Decision, aggregate, command, event, query
from gesta.domain.catalog import Catalog
from gesta.engine.limits import Limits
from gesta.store.memory import MemoryStore


@event("Added")
class Added:
    amount: float
    note: str


def tally(rounded: Callable[[float], float]) -> type:
    """Its answers show the order of a mapping, and what kind of number stands where."""

    @aggregate("Tally", snapshot_every=3)
    class Tally:
        total: float = 0.0
        notes: Mapping[str, int] = field(default_factory=dict)

        def evolve(self, event: Added) -> "Tally":
            notes = {**self.notes, event.note: len(self.notes)}
            return replace(self, total=rounded(self.total + event.amount), notes=notes)

        @command
        def add(self, amount: float, note: str) -> Decision[Added, "Tally", str]:
            after = yield Added(amount, note)
            return after.told()

        @query
        def told(self) -> str:
            return f"{self.total} for {' and '.join(self.notes)}"

    return Tally


@pytest.mark.parametrize(("rounded", "snapshots"), [(float, [3]), (round, [])])
async def test_g8_an_answer_is_the_same_with_a_snapshot_and_without(
    rounded: Callable[[float], float], snapshots: list[int]
) -> None:
    limits = Limits(snapshot_events_min=3)
    run = Running(HeldStore(MemoryStore()), limits, Catalog.of(tally(rounded)))
    run.kept = kept = Kept()
    await run.start()
    for note in ("pears", "apples", "plums"):
        await run.tell("a", ask("add", amount=2, note=note)).accepted()
    await kept.has(*snapshots)
    live = await run.engine.reads.query("Tally", "a", "told", b"{}", "anonymous")
    await run.restart()
    assert await run.engine.reads.query("Tally", "a", "told", b"{}", "anonymous") == live
    again = await run.tell("a", ask("add", amount=1, note="figs")).accepted()
    assert again.reply == live.data.replace(b"6", b"7").replace(b"plums", b"plums and figs")
    await run.stop()
    assert [each.version for each in kept.saved] == snapshots
