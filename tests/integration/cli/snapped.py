"""A target whose aggregate is kept every second event."""

from dataclasses import replace

from gesta.domain import Decision, aggregate, command, event


@event("Added")
class Added:
    amount: int


@aggregate("Snapped", snapshot_every=2)
class Snapped:
    total: int = 0

    def evolve(self, event: Added) -> "Snapped":
        return replace(self, total=self.total + event.amount)

    @command
    def add(self, amount: int) -> Decision[Added, "Snapped", int]:
        after = yield Added(amount)
        return after.total
