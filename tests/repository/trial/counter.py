"""An aggregate as somebody outside writes it."""

from gesta.domain import Decision, aggregate, command, event


@event("Counted")
class Counted:
    by: int


@aggregate("Counter")
class Counter:
    total: int = 0

    def evolve(self, event: Counted) -> "Counter":
        return Counter(self.total + event.by)

    @command
    def count(self, by: int) -> Decision[Counted, "Counter", int]:
        after = yield Counted(by)
        return after.total
